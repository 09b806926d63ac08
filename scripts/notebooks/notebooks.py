"""Executes one notebook and writes it with its outputs; reports events as JSON, one per line, on standard output.

Used by notebooks.mjs. Events: {"cell", "cells"} when a cell begins, {"progress": [...]}, {"done": id of the cell} when it has
succeeded, {"error": {"cell", "name", "message", "traceback"}}.
"""

import argparse
import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

PROGRESS = "application/vnd.attention-capacity.progress+json"
# A promise that fails after its cell has ended is reported by the next cell; this one runs after the last.
LAST_CELL = "await new Promise((resolve) => setTimeout(resolve, 50));"


def tell(**event):
    print(json.dumps(event), flush=True)


class Client(NotebookClient):
    """Reports progress and keeps it out of the notebook."""

    def process_message(self, msg, cell, cell_index):
        data = msg["content"].get("data", {}) if "display_data" in msg["msg_type"] else {}
        if PROGRESS in data:
            tell(progress=data[PROGRESS])
        elif data == {"text/plain": ""}:
            tell(progress=[])
        return super().process_message(msg, cell, cell_index)


def without_progress(outputs):
    return [
        output
        for output in outputs
        if PROGRESS not in output.get("data", {}) and output.get("data") != {"text/plain": ""}
    ]


def execute(path, folder, allow_errors):
    """Returns the executed notebook and whether a cell failed. Stops at the first error, unless errors are allowed."""
    notebook = nbformat.read(path, as_version=4)
    client = Client(
        notebook,
        timeout=None,
        startup_timeout=120,
        kernel_name="attention-capacity",
        coalesce_streams=True,
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
    )
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code_cells:
        cell.outputs, cell.execution_count = [], None
    failed = False
    last = nbformat.v4.new_code_cell(LAST_CELL)
    notebook.cells.append(last)
    with client.setup_kernel():
        done = 0
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            done += 1
            if cell is not last:
                tell(cell=done, cells=len(code_cells))
            try:
                client.execute_cell(cell, index, store_history=cell is not last)
            except CellExecutionError:
                pass
            errors = [output for output in cell.outputs if output.output_type == "error"]
            for error in errors:
                failed = True
                where = {"cell": done if cell is not last else None, "source": cell.source.split("\n")[0]}
                what = {"name": error.ename, "message": error.evalue, "traceback": error.traceback}
                tell(error={**where, **what})
            if errors and not allow_errors:
                break
            if not errors and cell is not last:
                tell(done=cell.get("id"))
    notebook.cells.remove(last)
    for cell in code_cells:
        cell.outputs = without_progress(cell.outputs)
    return notebook, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--run", type=json.loads, default={}, help="facts about this run, for the report")
    parser.add_argument("--allow-errors", action="store_true")
    options = parser.parse_args()

    started, began = datetime.now(timezone.utc), time.monotonic()
    try:
        notebook, failed = execute(options.notebook, options.notebook.parent, options.allow_errors)
    except DeadKernelError:
        message = "the kernel died; if the machine ran out of memory, choose a smaller profile"
        tell(error={"cell": None, "source": "", "name": "DeadKernel", "message": message, "traceback": []})
        return 1
    notebook.metadata["attention_capacity"] = {
        **options.run,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 1),
        "failed": failed,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    # Written to another file and renamed: an interrupted run keeps the previous report.
    beside = options.output.with_suffix(".part")
    nbformat.write(notebook, beside)
    beside.replace(options.output)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
