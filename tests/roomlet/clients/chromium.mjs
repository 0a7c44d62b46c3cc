// Finds a Chromium: one the environment names, the one that comes with npm (Linux on x64), or one of the system's.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '.chromium');
const SYSTEM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

async function packaged() {
  mkdirSync(folder, { recursive: true });
  process.env.TMPDIR = folder; // Where the package unpacks itself.
  const { default: chromium, inflate, setupLambdaEnvironment } = await import('@sparticuz/chromium');
  const path = await chromium.executablePath();
  const bin = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..', 'bin');
  if (execFileSync('ldd', [path]).toString().includes('not found')) {
    await inflate(join(bin, 'al2023.tar.br')); // Brings the few libraries that a bare system lacks.
    setupLambdaEnvironment(join(folder, 'al2023', 'lib'));
  }
  if (!existsSync('/etc/fonts/fonts.conf')) process.env.FONTCONFIG_FILE ??= packagedFonts();
  return path;
}

// Chromium ends where a page has text and there is no font; the package brings one, for another place than ours.
function packagedFonts() {
  const file = join(folder, 'fonts.conf');
  const [fonts, cache] = [join(folder, 'fonts'), join(folder, 'fonts-cache')];
  writeFileSync(file, `<fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>\n`);
  return file;
}

export async function findChromium() {
  if (process.env.ROOMLET_TEST_CHROMIUM) return process.env.ROOMLET_TEST_CHROMIUM;
  if (process.platform === 'linux' && process.arch === 'x64') return packaged();
  const found = SYSTEM.find((path) => existsSync(path));
  if (!found) throw new Error('no Chromium here: install it, or name one in ROOMLET_TEST_CHROMIUM');
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await findChromium());
