"""Put first on ``PYTHONPATH`` by ``djust-inspector run``: installs the agent when djust is imported.

Python imports the first ``sitecustomize`` of its path only, so this one runs the next one after
itself. It must never keep a program from starting: every error is swallowed, and shown on stderr
only with ``DJUST_INSPECTOR_DEBUG=1``.
"""


def _report(what):
    import os
    import sys

    if os.environ.get("DJUST_INSPECTOR_DEBUG") == "1":
        import traceback

        sys.stderr.write("djust_inspector: %s failed\n%s\n" % (what, traceback.format_exc()))


def _install():
    import os
    import sys

    if os.environ.get("DJUST_INSPECTOR") == "0":
        return
    parent = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if parent not in sys.path:
        # Last on the path: a package of the project is found before one of ours.
        sys.path.append(parent)
    from djust_inspector.installer import install_on_import

    install_on_import()


def _chain():
    """Run the ``sitecustomize`` that Python would have found without this one."""
    import importlib.machinery
    import importlib.util
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    rest = [p for p in sys.path if os.path.abspath(p or os.getcwd()) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    mine = sys.modules.get("sitecustomize")
    sys.modules["sitecustomize"] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if mine is not None:
            sys.modules["sitecustomize"] = mine
        raise


try:
    _install()
except Exception:
    _report("installing")
try:
    _chain()
except Exception:
    # What Python's own site module does with an error of the chained module.
    import os
    import sys
    import traceback

    if os.environ.get("PYTHONVERBOSE"):
        sys.excepthook(*sys.exc_info())
    else:
        sys.stderr.write(
            "Error in sitecustomize; set PYTHONVERBOSE for traceback:\n%s"
            % traceback.format_exc(limit=0).splitlines()[-1]
        )
        sys.stderr.write("\n")
