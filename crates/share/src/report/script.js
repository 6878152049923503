"use strict";
(() => {
  const root = document.documentElement;
  const articles = [...document.querySelectorAll("article")];
  const links = [...document.querySelectorAll(".list a")];
  const find = document.querySelector("#find");
  const told = document.querySelector("#found");
  let pages = null;
  let at = -1;
  if (!articles.length) return;
  root.classList.add("js");

  const page = (number) => {
    pages ??= JSON.parse(document.querySelector("#pages").textContent);
    return pages[number] ?? "";
  };

  const show = (index, focus) => {
    if (index < 0 || index >= articles.length) return;
    if (at >= 0) {
      articles[at].classList.remove("shown");
      links[at].removeAttribute("aria-current");
      for (const frame of articles[at].querySelectorAll("iframe")) frame.removeAttribute("srcdoc");
      document.querySelector(".mark.now")?.classList.remove("now");
    }
    at = index;
    const article = articles[at];
    article.classList.add("shown");
    links[at].setAttribute("aria-current", "step");
    links[at].scrollIntoView({ block: "nearest" });
    document.querySelector(`.mark[href="#${article.id}"]`)?.classList.add("now");
    for (const frame of article.querySelectorAll("iframe")) frame.srcdoc = page(Number(frame.dataset.page));
    if (location.hash.slice(1) !== article.id) history.replaceState(null, "", "#" + article.id);
    article.parentElement.scrollTop = 0;
    if (focus) article.focus({ preventScroll: true });
  };

  const follow = () => {
    const index = articles.findIndex((article) => article.id === location.hash.slice(1));
    show(index < 0 ? 0 : index, index >= 0);
  };

  const go = (by) => {
    let index = at + by;
    while (index >= 0 && index < articles.length && links[index].parentElement.hidden) index += by;
    show(index, false);
  };

  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const link of links) {
      const text = link.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word));
      link.parentElement.hidden = !fits;
      if (fits) count += 1;
    }
    told.textContent = words.length ? `${count} of ${links.length} steps` : "";
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const writing = event.target === find;
    if (event.key === "Escape" && writing) {
      find.value = "";
      filter();
      links[at].focus();
    } else if (event.key === "ArrowDown" || (event.key === "j" && !writing)) go(1);
    else if (event.key === "ArrowUp" || (event.key === "k" && !writing)) go(-1);
    else if (writing) return;
    else if (event.key === "Home") show(0, false);
    else if (event.key === "End") show(articles.length - 1, false);
    else if (event.key === "/") find.focus();
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-go]");
    if (button) go(Number(button.dataset.go));
  });
  find.addEventListener("input", filter);
  addEventListener("hashchange", follow);
  follow();
})();
