"""Turns an executed notebook into HTML with the template in jupyter/templates: the answer first, then the rest in its order.
make-reports.mjs then fills in styles, plotly and formulas, which are left as <span class="formula"> around TeX."""

import base64
import csv
import html
import io
import re
import sys
from pathlib import Path

import nbformat
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TEMPLATES = Path(__file__).resolve().parents[2] / "jupyter" / "templates"


HEADLINE = "application/vnd.attention-capacity.headline+json"
FIGURE = "application/vnd.attention-capacity.figure+json"
TABLE = "application/vnd.attention-capacity.table+json"
# Longer tables are folded.
LONG = 20


class Renderer(IPythonRenderer):
    def heading(self, text, level, **attributes):
        anchor = re.sub(r"\W+", "-", re.sub(r"<[^>]*>|&\w+;", "", text)).strip("-").lower()
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def block_math(self, body):
        return f'<span class="formula" data-display="true">{html.escape(body)}</span>'

    def inline_math(self, body):
        return f'<span class="formula">{html.escape(body)}</span>'


class ReportExporter(HTMLExporter):
    """The notebook in our template."""

    @pass_context
    def markdown2html(self, context, source):
        renderer = Renderer(escape=False)
        return MarkdownWithMath(renderer=renderer).render(source)

    def default_filters(self):
        yield from super().default_filters()
        yield ("csv_address", csv_address)
        yield ("numbered", numbered)
        yield ("duration", duration)


def csv_address(table):
    """The rows as a CSV file in a data: address. The shown columns come first, then the other fields; a pair takes two columns."""
    rows = table["rows"]
    keys = list(dict.fromkeys([*table.get("columns", []), *(key for row in rows for key in row)]))
    pairs = {key for key in keys if any(isinstance(row.get(key), list) and len(row[key]) == 2 for row in rows)}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([name for key in keys for name in ([f"{key} low", f"{key} high"] if key in pairs else [key])])
    for row in rows:
        cells = []
        for key in keys:
            value = row.get(key)
            if key in pairs:
                cells.extend(value if isinstance(value, list) else [None, None])
            elif isinstance(value, list):
                cells.append(" ".join(map(str, value)))
            elif isinstance(value, bool):
                cells.append("true" if value else "false")
            else:
                cells.append(value)
        writer.writerow(cells)
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(file.getvalue().encode()).decode()


def duration(seconds):
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def numbered(table_html, about):
    """The table, its number in front of its caption. A folded one has both in the line that unfolds it."""
    name = f"Table {about['number']}."
    without = re.sub(r"<caption[^>]*>.*?</caption>\n?", "", table_html, count=1, flags=re.S)
    if about["long"]:
        return without.replace("<table", f'<table aria-label="{name}"', 1)
    title = f'{name} {about["titleHtml"]}'
    return re.sub(r"(<table[^>]*>)", lambda found: f"{found[0]}<caption><strong>{title}</strong></caption>", without, count=1)


def take_paragraph(notebook, begins):
    """Takes the paragraph that begins so out of the prose; None where there is none."""
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        paragraphs = re.split(r"\n\s*\n", cell.source)
        for index, paragraph in enumerate(paragraphs):
            if paragraph.startswith(begins):
                del paragraphs[index]
                cell.source = "\n\n".join(paragraphs)
                return paragraph
    return None


def answer_of(notebook):
    """What stands first: title, question, findings, key figure, limits. They are taken from where they are in the notebook."""
    question = take_paragraph(notebook, "**Question.**")
    limits = take_paragraph(notebook, "**What this does not show.**")
    title = take_paragraph(notebook, "# ")
    findings, figures = [], []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if HEADLINE in data:
                findings.append(data[HEADLINE])
            if FIGURE in data:
                figures.append(output)
    named = [told["figure"] for told in findings if "figure" in told]
    key = next((output for output in figures if output.data[FIGURE]["name"] in named), figures[0] if figures else None)
    number(notebook, key)
    above = nbformat.from_dict(key) if key else None
    if key:
        key.data = {"text/markdown": "", FIGURE: {**key.data[FIGURE], "above": True}}
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if HEADLINE not in output.get("data", {})]
    return {"title": title, "question": question, "findings": findings, "key": above, "limits": limits}


def number(notebook, key):
    """Numbers figures and tables in the order of the page."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    first = [key] if key else []
    for kind in (FIGURE, TABLE):
        own = [output for output in [*first, *(o for o in outputs if o is not key)] if kind in output.get("data", {})]
        for index, output in enumerate(own, start=1):
            output.data[kind]["number"] = index
    for output in outputs:
        about = output.get("data", {}).get(TABLE)
        if about:
            about["long"] = len(about["rows"]) > LONG
            caption = re.search(r"<caption[^>]*><strong>(.*?)</strong></caption>", output.data["text/html"], re.S)
            about["titleHtml"] = caption[1] if caption else html.escape(about["title"])


def title_of(notebook, name):
    lines = (line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.split("\n"))
    return next((line[2:].strip() for line in lines if line.startswith("# ")), name)


def main(source, target):
    notebook = nbformat.read(source, as_version=4)
    exporter = ReportExporter(
        template_paths=[str(TEMPLATES / "attention-capacity")],
        template_file="report.html.j2",
    )
    name = Path(source).stem
    resources = {"title": title_of(notebook, name), "notebook_name": name}
    resources["answer"] = answer_of(notebook)
    body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": name}, **resources})
    Path(target).write_text(body, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
