// Looks at pages as WCAG 2.2 AA asks (axe-core), wide and at 320 px (1.4.10). tests/it/accessibility.rs starts it
// with the address of the service, the cookie of somebody who is signed in, and the pages, as JSON; it answers
// with what is wrong. A page is a path, perhaps with the name of a button to press there, and whether it is for
// who is signed in.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import sparticuz from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const { home, cookie, pages } = JSON.parse(process.argv[2]);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const browser = await chromium.launch({
  args: sparticuz.args,
  executablePath: await sparticuz.executablePath(),
  headless: true,
});
const wrong = [];
let looked = 0;

try {
  // One for all: this browser ends with the first context that is closed.
  const context = await browser.newContext({ colorScheme: 'light' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 });
    for (const { path, press, fill, signedIn } of pages) {
      await context.clearCookies();
      if (signedIn) await context.addCookies([{ ...cookie, url: home }]);
      const says = (what) => wrong.push(`${path}${press ? ` (${press})` : ''} at ${width}: ${what}`);
      await page.goto(home + path);
      for (const [label, value] of Object.entries(fill ?? {})) await page.getByLabel(label).fill(value);
      if (press) {
        await Promise.all([
          page.waitForEvent('load'),
          page.locator('main').getByRole('button', { name: press, exact: true }).first().click(),
        ]);
      }
      // What is evaluated by the browser's own tools needs no leave of the page's policy.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(
        (values) => window.axe.run({ runOnly: { type: 'tag', values } }), rules);
      for (const { id, nodes } of violations) says(`${id}: ${nodes.map((node) => node.html).join(' ')}`);
      const about = await page.evaluate(() => ({
        title: document.title.trim(),
        lang: document.documentElement.lang,
        h1: document.querySelectorAll('h1').length,
        wide: document.documentElement.scrollWidth,
      }));
      if (!about.title) says('it has no title');
      if (about.lang !== 'en-GB' && about.lang !== 'en') says(`its language is "${about.lang}"`);
      if (about.h1 !== 1) says(`it has ${about.h1} headings of the first level`);
      if (about.wide > width) says(`it is ${about.wide} pixels wide`);
      looked += 1;
    }
  }
  console.log(JSON.stringify({ looked, wrong }));
} finally {
  await browser.close();
}
