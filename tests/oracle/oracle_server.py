"""Runs inside the oracle's virtual environment: imports the original once, then forks for each request.

argv: the S3 endpoint. stdin: one JSON object per line, ``{"module", "argv", "cwd"}`` to run a module as
``__main__``, or ``{"script", "args", "cwd"}`` to run source text whose variable ``result`` is the answer.
stdout: one JSON object per line, ``{"returncode", "stdout", "stderr", "result"}``.
"""

import importlib
import json
import os
import pathlib
import runpy
import sys
import tempfile
import traceback
import warnings

WARM = [
    "pandas",
    "aqueduct.utils.serialization",
    "aqueduct_executor.operators.function_executor.execute",
    "aqueduct_executor.operators.param_executor.execute",
    "aqueduct_executor.operators.system_metric_executor.execute",
    "aqueduct_executor.operators.connectors.data.execute",
    "aqueduct_executor.operators.connectors.data.s3",
]


def point_at(endpoint):
    """Make every client speak to ``endpoint``: this botocore has no setting for it."""
    import botocore.session

    create = botocore.session.Session.create_client

    def create_client(self, *args, **kwargs):
        kwargs["endpoint_url"] = endpoint
        return create(self, *args, **kwargs)

    botocore.session.Session.create_client = create_client


def run(request, folder):
    """The child's work; never returns."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(request["cwd"])
    code = 0
    try:
        if "module" in request:
            sys.argv = [request["module"], *request["argv"]]
            runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
        else:
            names = {"__name__": "oracle_script", **request["args"]}
            exec(compile(request["script"], "oracle_script", "exec"), names)
            (folder / "result").write_text(json.dumps(names.get("result")))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def answer(request):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        child = os.fork()
        if child == 0:
            run(request, folder)
        _, status = os.waitpid(child, 0)

        def read(name):
            path = folder / name
            return path.read_text(errors="replace") if path.exists() else ""

        return {
            "returncode": os.waitstatus_to_exitcode(status),
            "stdout": read("stdout"),
            "stderr": read("stderr"),
            "result": json.loads(read("result") or "null"),
        }


def main():
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    point_at(sys.argv[1])
    for name in WARM:
        importlib.import_module(name)
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


main()
