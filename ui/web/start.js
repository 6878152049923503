// Loads the module that draws the window. From bytes: the streaming form asks for a content type that not every protocol sends.

function trouble(title, words, detail) {
  const box = document.getElementById('trouble');
  const parts = [title, words, detail];
  for (const element of box.children) element.textContent = parts.shift();
  box.hidden = false;
}

async function load() {
  const module = await import('./inspector.js');
  const answer = await fetch('inspector_bg.wasm');
  if (!answer.ok) throw new Error(`inspector_bg.wasm: ${answer.status} ${answer.statusText}`);
  await module.default({ module_or_path: await answer.arrayBuffer() });
}

if (typeof WebAssembly !== 'object') {
  trouble('The window cannot be drawn here', 'This browser engine has no WebAssembly. Use a newer one, or the native window: djust-inspector.', '');
} else {
  load().catch((error) => {
    // Once the module runs, it says itself what went wrong.
    if (document.getElementById('trouble').hidden) {
      trouble('The window could not be loaded', 'Its module did not start. Reload the page; if that does not help, use the native window: djust-inspector.', String(error));
    }
  });
}
