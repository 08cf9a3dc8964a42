"""Pages of `seqrnn report` as a browser lays them out: nothing sticks out, and every text can be read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: Debian's chromium")

POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
SEEN = """
const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number);
const over = (top, below) => {
  const share = top.length > 3 ? top[3] : 1;
  return [0, 1, 2].map(i => top[i] * share + below[i] * (1 - share));
};
const ground = element => {
  if (!element) return [255, 255, 255];
  return over(numbers(getComputedStyle(element).backgroundColor), ground(element.parentElement));
};
const light = colour => {
  const straight = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = colour.map(v => straight(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const faint = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
  const style = getComputedStyle(element), below = ground(element);
  const drawn = element.closest("svg") ? style.fill : style.color;
  const [a, b] = [light(over(numbers(drawn), below)), light(below)].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) faint.push([texts.currentNode.data.trim().slice(0, 40), contrast.toFixed(2)]);
}
const found = {
  faint: faint.slice(0, 5),
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  outside: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  loaded: performance.getEntriesByType("resource").length,
  sections: document.querySelectorAll("section").length,
};
document.body.textContent = "@@" + JSON.stringify(found) + "@@";
"""


@pytest.fixture(scope="module")
def page(seqrnn, classifier, tmp_path_factory):
    """A page that says what a browser made of it, and where it is."""
    written = seqrnn("report", classifier, "test.tsv").stdout.decode()
    looked = POLICY.sub("", written).replace("</body>", f"<script>{SEEN}</script></body>")
    path = tmp_path_factory.mktemp("browser") / "page.html"
    path.write_text(looked, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [400, 900, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_at_any_width(page, width, scheme) -> None:
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.parent / 'profile'}"]
    options += [f"--window-size={width},1000", "--dump-dom", page.as_uri()]
    options += [f"--blink-settings=preferredColorScheme={int(scheme == 'light')}"]
    done = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, check=False, timeout=120)
    found = json.loads(re.search("@@(.*)@@", done.stdout, re.DOTALL)[1].replace("&lt;", "<"))
    assert found["dark"] == (scheme == "dark")
    assert found["sections"] >= 6
    assert found["outside"] <= 0
    assert found["loaded"] == 0
    assert found["faint"] == []
