"""The chart of the README, as SVG: for each program, a bar for each tool, as long as its median time.

Each program has a scale of its own, up to the slowest tool shown; a part of a bar that stands for running the linked program is lighter than that for
linking it. The colours and the text are readable on light and dark pages.
"""

from html import escape

WIDTH, LABEL, VALUE = 760, 190, 90
LINE, GAP = 20, 34
COLOURS = {"rjitlink": "#d1495b", "llvm-jitlink": "#3c6fb0", "linked program": "#7a8a99"}
OTHER = "#8d9db6"


def draw(cases, title):
    """The chart's text. Tools that failed have a line without a bar."""
    body, y = [], 56
    for case in cases:
        y = _case(body, case, y)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" font-family="sans-serif" font-size="12">\n'
        "<style>text { fill: #24292f } .dim { fill: #57606a } "
        "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .dim { fill: #9aa4af } }</style>\n"
        f'<text x="0" y="18" font-size="15" font-weight="bold">{escape(title)}</text>\n'
        '<text class="dim" x="0" y="36">milliseconds from objects to the end of the program, median; the light end of a bar is the run of the linked program</text>\n'
    )
    return head + "".join(body) + "</svg>\n"


def _case(body, case, y):
    """Appends the bars of one case from `y` on; answers where the next begins."""
    shown = sorted((c for c in case.contenders if not c.failure), key=lambda c: c.median())
    scale = (WIDTH - LABEL - VALUE) / max(c.median() for c in shown)
    body.append(f'<text x="0" y="{y + 12}" font-weight="bold">{escape(case.title)}</text>\n')
    y += 22
    for c in shown:
        body.append(f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(c.name)}</text>\n')
        colour = COLOURS.get(c.name.split(" -lazy")[0].split(",")[0], OTHER)
        parts = c.as_json()["steps_median_s"] if len(c.steps) > 1 else [c.median()]
        x = float(LABEL)
        for index, part in enumerate(parts):
            width = max(1.0, part * scale)
            opacity = 0.55 if len(parts) > 1 and index == len(parts) - 1 else 1
            body.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="15" fill="{colour}" fill-opacity="{opacity}"/>\n')
            x += width
        body.append(f'<text x="{x + 6:.1f}" y="{y + 12}">{_milliseconds(c.median())}</text>\n')
        y += LINE
    for c in case.contenders:
        if c.failure:
            body.append(f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(c.name)}</text>\n')
            body.append(f'<text class="dim" x="{LABEL}" y="{y + 12}">cannot link it</text>\n')
            y += LINE
    return y + GAP - LINE


def _milliseconds(seconds):
    value = seconds * 1000
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
