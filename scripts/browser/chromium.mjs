/**
 * Starts Chromium for figures on paper, screenshots and tests. npm's `@sparticuz/chromium` contains one for bare Linux
 * machines, with its shared libraries and fonts; it is unpacked into the cache once. Elsewhere an installed one is used.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { chromium } from 'playwright-core';
import { extract } from 'tar-fs';
import { SetupFailure } from '../setup/failure.mjs';
import { cache } from '../setup/places.mjs';

const require = createRequire(import.meta.url);
const INSTALLED = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Starts a browser and returns Playwright's `Browser`. The caller closes it. */
export async function launchChromium() {
  const temporary = join(cache, 'tmp');
  mkdirSync(temporary, { recursive: true });
  // Playwright keeps the browser's profile in the temporary folder, which shall be in the cache.
  process.env.TMPDIR = temporary;
  const named = process.env.ATTENTION_CHROMIUM;
  if (named) return launch(named);
  const failures = [];
  if (process.platform === 'linux' && process.arch === 'x64') {
    try {
      const { executable, libraries, fonts } = await packedChromium();
      return await launch(executable, { LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: fonts });
    } catch (error) {
      failures.push(`the one of npm did not start: ${String(error).split('\n').slice(0, 3).join(' ')}`);
    }
  }
  for (const program of INSTALLED) {
    const path = installedAt(program);
    if (path) return launch(path);
  }
  failures.push(`none of ${INSTALLED.join(', ')} is installed`);
  throw new SetupFailure(
    `expected a Chromium, found none: ${failures.join('; ')}. ` +
      'Install one (Debian: apt-get install chromium) or name one in ATTENTION_CHROMIUM.',
  );
}

function launch(executablePath, environment = {}) {
  return chromium.launch({
    executablePath,
    args: ['--headless=shell', '--no-sandbox', '--no-zygote', '--disable-gpu', '--font-render-hinting=none'],
    env: { ...process.env, ...environment },
  });
}

async function packedChromium() {
  // The package's main file is <package>/build/cjs/index.cjs.
  const bin = join(dirname(require.resolve('@sparticuz/chromium')), '..', '..', 'bin');
  const { version } = require(join(bin, '..', 'package.json'));
  const home = join(cache, 'chromium', version);
  if (!existsSync(home)) {
    const part = `${home}.${process.pid}.part`;
    mkdirSync(part, { recursive: true });
    const unpacked = (file) => createReadStream(join(bin, file)).pipe(createBrotliDecompress());
    try {
      await Promise.all([
        pipeline(unpacked('chromium.br'), createWriteStream(join(part, 'chromium'))),
        ...['al2023', 'fonts', 'swiftshader'].map((name) =>
          pipeline(unpacked(`${name}.tar.br`), extract(name === 'swiftshader' ? part : join(part, name))),
        ),
      ]);
      chmodSync(join(part, 'chromium'), 0o755);
      // If another process was faster, its copy is used.
      if (!existsSync(home)) renameSync(part, home);
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  return {
    executable: join(home, 'chromium'),
    libraries: join(home, 'al2023', 'lib'),
    fonts: fontconfig(home),
  };
}

/** A configuration for fonts; the package's own looks for them in /tmp. */
function fontconfig(home) {
  const path = join(home, 'fonts.conf');
  const folders = [join(home, 'fonts', 'fonts'), '/usr/share/fonts'];
  writeFileSync(
    path,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
${folders.map((folder) => `  <dir>${folder}</dir>`).join('\n')}
  <cachedir>${join(home, 'fonts-cache')}</cachedir>
</fontconfig>
`,
  );
  return path;
}

function installedAt(program) {
  try {
    return execFileSync('which', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
