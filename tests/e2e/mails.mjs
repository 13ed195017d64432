// Looks at mails as a mail program shows them: at 700 and at 320 px, light and dark, with pictures off and
// without a network. tests/it/mail_looks.rs starts it with a folder of HTML files; beside each file it leaves its
// pictures, and it answers with what is wrong (axe-core's rules for WCAG 2.2 AA, and what a mail must not have).
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sparticuz from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const folder = process.argv[2];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
// Mails are shown inside a mail program's page, which has the landmarks.
const without = { region: { enabled: false }, 'landmark-one-main': { enabled: false } };

const browser = await chromium.launch({
  args: sparticuz.args,
  executablePath: await sparticuz.executablePath(),
  headless: true,
});
const wrong = [];
const pictures = [];

try {
  // One for all: this browser ends with the first context that is closed.
  const context = await browser.newContext({ offline: true });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  let asked = [];
  page.on('request', (request) => asked.push(request.url()));
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.html')).sort()) {
    const address = pathToFileURL(join(folder, file)).href;
    for (const width of [700, 320]) {
      for (const colorScheme of ['light', 'dark']) {
        const says = (what) => wrong.push(`${file} at ${width}, ${colorScheme}: ${what}`);
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        asked = [];
        await page.goto(address);
        for (const url of asked.filter((url) => url !== address)) says(`it fetches ${url}`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(
          ([values, rules]) => window.axe.run({ runOnly: { type: 'tag', values }, rules }), [rules, without]);
        for (const { id, nodes } of violations) says(`${id}: ${nodes.map((node) => node.html).join(' ')}`);
        const about = await page.evaluate(() => {
          const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1]));
          const links = [...document.querySelectorAll('a')].map(({ textContent }) => textContent.trim());
          const tables = [...document.querySelectorAll('table')];
          const dark = (color) => {
            const [red, green, blue] = color.match(/\d+/g).map(Number);
            return red + green + blue < 3 * 80;
          };
          const shown = document.querySelector('.paper, .paper > table, .paper td');
          return {
            title: document.title.trim(),
            lang: document.documentElement.lang,
            levels,
            links,
            data: tables.filter((table) => table.getAttribute('role') !== 'presentation').length,
            wide: document.documentElement.scrollWidth,
            isDark: dark(getComputedStyle(shown).backgroundColor),
          };
        });
        if (!about.title) says('it has no title');
        if (about.lang !== 'en-GB') says(`its language is "${about.lang}"`);
        if (about.levels.filter((level) => level === 1).length !== 1) says(`its headings are ${about.levels}`);
        about.levels.forEach((level, at) => {
          if (level > (about.levels[at - 1] ?? 0) + 1) says(`its headings leave out a level: ${about.levels}`);
        });
        for (const link of about.links) {
          if (!link || /^(here|click here|link|more|read more)$/i.test(link)) says(`a link says only "${link}"`);
        }
        if (about.data) says(`${about.data} tables are read out as tables`);
        if (about.wide > width) says(`it is ${about.wide} pixels wide`);
        if (about.isDark !== (colorScheme === 'dark')) says('its paper is of the other colour scheme');
        const picture = join(folder, `${file.replace('.html', '')}-${width}-${colorScheme}.png`);
        await page.screenshot({ path: picture, fullPage: true });
        pictures.push(picture);
      }
    }
  }
  console.log(JSON.stringify({ pictures: pictures.length, wrong }));
} finally {
  await browser.close();
}
