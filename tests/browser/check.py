"""Uses the page in a browser as a reader does, and leaves screenshots in target/browser-check.

usage: check.py      from the project's folder, after the example `page` of the crate `report` is built
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path

import playwright
from playwright.sync_api import sync_playwright

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target")).absolute()
SHOTS = TARGET / "browser-check"
NODE = Path(playwright.__file__).parent / "driver" / "node"
# Containers often forbid the sandbox, and the page is the project's own.
FLAGS = ["--no-sandbox"]
# Of two galleries of heat maps, the one of COVID-19.
FIRST = ".gallery >> nth=0 >> "


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        browser = subprocess.run([sys.executable, "-B", "tools/browser.py", NODE], check=True, capture_output=True, text=True)
        cls.browser = Path(browser.stdout.strip()).absolute()
        SHOTS.mkdir(parents=True, exist_ok=True)
        cls.html = SHOTS / "page.html"
        with open(cls.html, "w") as file:
            subprocess.run([TARGET / "release/examples/page", "2"], check=True, stdout=file)
        cls.playwright = sync_playwright().start()
        cls.addClassCleanup(cls.playwright.stop)

    def open(self, width=1280, scheme="light"):
        """The page, as a reader opens it; it fails the test when it complains or asks for another file."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(SHOTS),
            "LD_LIBRARY_PATH": str(self.browser / "lib"),
            "FONTCONFIG_FILE": str(self.browser / "fonts.conf"),
        }
        browser = self.playwright.chromium.launch(executable_path=self.browser / "chromium", args=FLAGS, env=environment)
        self.addCleanup(browser.close)
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        complaints, requests = [], []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(self.html.as_uri())
        asked = [url for url in requests if not url.startswith("data:")]
        self.assertEqual((complaints, asked), ([], [self.html.as_uri()]))
        self.addCleanup(lambda: self.assertEqual(complaints, []))
        return page

    def shown(self, page):
        return page.eval_on_selector_all(FIRST + ".row:not([hidden]) h3", "all => all.map(one => one.innerText)")

    def test_filters_leave_what_was_asked_for(self):
        page = self.open()
        self.assertEqual(len(self.shown(page)), 3)
        page.select_option(FIRST + "[name=set]", "ood")
        self.assertEqual(len(self.shown(page)), 1)
        self.assertIn("OOD test", self.shown(page)[0])
        self.assertEqual(page.inner_text(FIRST + "[name=count]"), "1 of 3 images")
        page.select_option(FIRST + "[name=label]", "absent")
        self.assertEqual((self.shown(page), page.inner_text(FIRST + "[name=count]")), ([], "0 of 3 images"))
        page.select_option(FIRST + "[name=set]", "")
        self.assertTrue(self.shown(page)[0].startswith("Negative, IID test"))
        page.select_option(FIRST + "[name=label]", "")
        answers = {name: len(page.query_selector_all(FIRST + f".row[data-answers={name}]")) for name in ["right", "mixed", "wrong"]}
        self.assertEqual(sum(answers.values()), 3)
        self.assertLess(max(answers.values()), 3)
        for name, count in answers.items():
            page.select_option(FIRST + "[name=answers]", name)
            self.assertEqual(len(self.shown(page)), count)

    def test_each_gallery_has_filters_of_its_own(self):
        page = self.open()
        before = self.shown(page)
        second = ".gallery >> nth=1 >> "
        headings = lambda: page.eval_on_selector_all(second + ".row:not([hidden]) h3", "all => all.map(one => one.innerText)")
        self.assertEqual([text.split(",")[0] for text in headings()], ["No Effusion", "Effusion"])
        page.select_option(second + "[name=label]", "present")
        self.assertEqual([text.split(",")[0] for text in headings()], ["Effusion"])
        self.assertEqual(page.inner_text(second + "[name=count]"), "1 of 2 images")
        self.assertEqual(self.shown(page), before)
        page.focus(second + ".row:not([hidden])")
        page.keyboard.press("m")
        self.assertEqual([page.input_value(one + "[name=map]") for one in (FIRST, second)], ["100", "0"])

    def test_the_most_disputed_image_comes_first_and_the_order_comes_back(self):
        page = self.open()
        before = self.shown(page)
        page.select_option(FIRST + "[name=order]", "disagreement")
        values = page.eval_on_selector_all(FIRST + ".row", "rows => rows.map(row => Number(row.dataset.disagreement))")
        self.assertEqual(values, sorted(values, reverse=True))
        self.assertNotEqual(self.shown(page), before)
        page.select_option(FIRST + "[name=order]", "")
        self.assertEqual(self.shown(page), before)

    def test_the_slider_uncovers_the_image_under_the_map(self):
        page = self.open()
        opacity = "getComputedStyle(document.querySelector('.map')).opacity"
        self.assertEqual(page.evaluate(opacity), "1")
        page.focus(FIRST + "[name=map]")
        for _ in range(20):
            page.keyboard.press("ArrowLeft")
        self.assertEqual(page.evaluate(opacity), "0")
        self.assertEqual(page.get_attribute(FIRST + "[name=map]", "aria-valuetext"), "map 0 %")
        page.locator(".row").first.screenshot(path=SHOTS / "uncovered.png")
        plain = "document.querySelector('.map').parentElement.style.backgroundImage.includes(document.querySelector('.row img').src)"
        self.assertTrue(page.evaluate(plain))

    def test_keys_go_through_the_images_and_are_left_alone_elsewhere(self):
        page = self.open()
        focused = "[...document.querySelector('.gallery').querySelectorAll('.row')].indexOf(document.activeElement)"
        page.keyboard.press("j")
        self.assertEqual(page.evaluate(focused), -1)
        page.focus(".row")
        places = []
        for key in ["j", "j", "j", "k"]:
            page.keyboard.press(key)
            places.append(page.evaluate(focused))
        self.assertEqual(places, [1, 2, 2, 1])
        page.keyboard.press("m")
        self.assertEqual(page.input_value(FIRST + "[name=map]"), "0")
        page.keyboard.press("m")
        self.assertEqual(page.input_value(FIRST + "[name=map]"), "100")
        stops = page.eval_on_selector_all(FIRST + ".row", "rows => rows.filter(row => row.tabIndex === 0).length")
        self.assertEqual(stops, 1)

    def test_no_serious_fault_of_accessibility(self):
        axe = (self.browser / "axe.js").read_text()
        for width, scheme in [(1280, "light"), (1280, "dark"), (390, "light")]:
            page = self.open(width, scheme)
            page.evaluate(axe)
            found = page.evaluate("axe.run().then(result => result.violations)")
            serious = [
                (one["id"], one["help"], one["nodes"][0]["html"][:200])
                for one in found
                if one["impact"] in ("serious", "critical")
            ]
            self.assertEqual(serious, [], f"{width} px, {scheme}")

    def test_it_fits_a_phone_and_is_dark_where_wanted(self):
        for width, scheme in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]:
            page = self.open(width, scheme)
            page.screenshot(path=SHOTS / f"{scheme}-{width}.png", full_page=True)
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
            red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
            self.assertEqual(int(red) > 127, scheme == "light")

    def test_scores_of_boxes_keep_the_colour_of_their_boxes_in_the_dark(self):
        for scheme in ["light", "dark"]:
            page = self.open(scheme=scheme)
            colours = page.evaluate("['fill', 'stroke'].map(one => getComputedStyle(document.querySelector('.found text'))[one])")
            self.assertEqual(colours, ["rgb(230, 159, 0)", "rgb(0, 0, 0)"], scheme)
            page.locator(".found").first.screenshot(path=SHOTS / f"boxes-{scheme}.png")

    def test_print_shows_every_image_in_light_whatever_the_screen(self):
        page = self.open(scheme="dark")
        page.select_option(FIRST + "[name=set]", "ood")
        page.emulate_media(media="print")
        self.assertEqual(page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
        visible = page.eval_on_selector_all(FIRST + ".row", "rows => rows.filter(row => row.offsetHeight > 0).length")
        self.assertEqual(visible, 3)
        self.assertFalse(page.is_visible(".controls"))
        page.pdf(path=SHOTS / "page.pdf", format="A4")


if __name__ == "__main__":
    unittest.main()
