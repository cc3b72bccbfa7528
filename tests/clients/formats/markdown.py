"""Reads Markdown with a CommonMark parser that is not ours, and shows it to a browser.

Whatever names are in a plan, the page may hold our own title, lists, hashes, folds, code and links to the repository, and nothing
else: no other link, no image, no script, no second marker. Each page is rendered; what the browser made of it is asked back. Then a page that
does hold a script is shown, to see that the browser would have told.

Usage: markdown.py BROWSER FOLDER FILE...
"""

import json
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

PARSER = MarkdownIt("commonmark")
# The only HTML that we write, line by line.
ADDRESS = r"https://git\.example/org/tenants/[A-Za-z0-9._~:/%?=&;#-]*"
NAME = rf"(<a href=\"{ADDRESS}\"><b>[a-z0-9/-]+</b></a>|<b>[a-z0-9/-]+</b>|[a-z0-9/-]+)"
OURS = re.compile(
    r"<!-- qlik-plan: [a-z0-9-]+ -->|</details>"
    r"|<details( open)?><summary><b>[A-Za-z, ]+: \d+</b></summary>"
    rf"|<details><summary>{NAME}: ([A-Za-z,' -]|{NAME})+</summary>"
)
LINK = re.compile(ADDRESS)
INLINE = {"text", "strong_open", "strong_close", "code_inline", "softbreak", "link_open", "link_close"}
BLOCKS = {
    "paragraph_open", "paragraph_close", "inline", "html_block", "fence", "heading_open", "heading_close",
    "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
}
ATTACK = 'a name\n\n</details><script>alert(1)</script><img src="x" onerror="alert(2)"> [l](javascript:alert(3))\n'

PAGE = """<!doctype html><meta charset="utf-8"><title>%(title)s</title>
<style>body{font:14px sans-serif;max-width:60em;margin:2em}pre{background:#eee;padding:1em;white-space:pre-wrap}</style>
<script>window.alert = () => { document.documentElement.dataset.called = 'yes'; };</script>
<main>%(body)s</main>
<script>
addEventListener('load', () => setTimeout(() => {
  const main = document.querySelector('main');
  const own = main.cloneNode(true);
  own.querySelectorAll('code').forEach((code) => code.remove());
  const count = (what) => main.querySelectorAll(what).length;
  const out = document.createElement('output');
  out.textContent = JSON.stringify({
    called: document.documentElement.dataset.called ?? 'no',
    foreign: count(':not(p, strong, b, a, code, pre, details, summary, h2, ul, li)'),
    attributes: [...main.querySelectorAll('*')].flatMap((e) => e.getAttributeNames().map((n) => e.localName + '.' + n)),
    details: count('details'), titles: count('h2'), fences: count('pre > code'),
    outside: own.textContent,
    spans: [...main.querySelectorAll('code')].map((c) => c.textContent).join('\\n'),
    inside: [...main.querySelectorAll('pre')].map((p) => p.textContent).join(''),
  });
  out.hidden = true;
  document.body.append(out);
}, 0));
</script>
"""


def parse(text: str) -> dict:
    """What the parser finds, after it is known to be only what we write."""
    found = {"details": 0, "fences": [], "markers": 0}
    for token in PARSER.parse(text):
        assert token.type in BLOCKS, f"a {token.type} at line {token.map}"
        if token.type == "html_block":
            for line in filter(None, token.content.split("\n")):
                assert OURS.fullmatch(line), f"foreign HTML: {line!r}"
                found["details"] += line.startswith("<details")
                found["markers"] += line.startswith("<!--")
        elif token.type == "heading_open":
            assert token.tag == "h2", token.tag
        elif token.type == "fence":
            assert token.info in ("diff", ""), token.info
            found["fences"].append(token.content)
        elif token.type == "inline":
            for child in token.children:
                assert child.type in INLINE, f"a {child.type} in {token.content!r}"
                if child.type == "link_open":
                    assert LINK.fullmatch(child.attrs["href"]) and len(child.attrs) == 1, child.attrs
    return found


def show(browser: str, title: str, body: str, picture: Path) -> dict:
    """What the browser makes of it, and a picture."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(PAGE % {"title": title, "body": body})
        flags = [
            "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", f"--user-data-dir={folder}/profile",
        ]
        url = page.as_uri()
        dom = subprocess.run(
            [browser, *flags, "--virtual-time-budget=2000", "--dump-dom", url],
            check=True, capture_output=True, text=True, timeout=120,
        ).stdout
        subprocess.run(
            [browser, *flags, "--window-size=1000,1400", f"--screenshot={picture}", url],
            check=True, capture_output=True, timeout=120,
        )
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    assert (width, height) == (1000, 1400), picture
    [told] = re.findall(r"<output hidden=\"\">(.*?)</output>", dom, re.DOTALL)
    return json.loads(unescape(told))


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u00a0").replace("&amp;", "&")


def main() -> None:
    browser, pictures, *files = sys.argv[1:]
    Path(pictures).mkdir(parents=True, exist_ok=True)
    hostile = 0
    for file in map(Path, files):
        text = file.read_text()
        found = parse(text)
        told = show(browser, file.name, PARSER.render(text), Path(pictures) / f"{file.stem}.png")
        assert told["called"] == "no", f"{file}: a script ran"
        assert told["foreign"] == 0, f"{file}: {told}"
        assert set(told["attributes"]) <= {"details.open", "code.class", "a.href"}, f"{file}: {told['attributes']}"
        assert (told["details"], told["titles"]) == (found["details"], 1), f"{file}: {told}"
        assert told["fences"] == len(found["fences"]), f"{file}: {told}"
        assert told["inside"] == "".join(found["fences"]), f"{file}: the browser shows other text in the fences"
        for bad in ("alert", "octocat", "evil", "\u202e", "\x1b"):
            assert bad not in told["outside"], f"{file}: {bad!r} stands outside of code"
        assert "bitbucket" in file.name or found["markers"] == 1, f"{file}: {found['markers']} markers"
        if "hostile" in file.name:
            hostile += 1
            assert "</details><script>alert(1)</script>" in told["spans"], f"{file}: the name is not shown as it is"
    assert hostile > 3, "no hostile case was shown"
    # The same attack, unfenced: if this is not seen, nothing above was proven.
    try:
        parse(ATTACK)
    except AssertionError:
        pass
    else:
        raise AssertionError("the parser's check sees no foreign HTML")
    told = show(browser, "attack", PARSER.render(ATTACK), Path(pictures) / "attack.png")
    assert told["called"] == "yes" and told["foreign"] > 0, f"the browser's check sees no script: {told}"
    print(f"{len(files)} pages are harmless; pictures are in {pictures}")


main()
