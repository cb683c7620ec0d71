// Browser tests, started by `cargo xtask test browser`, which sets
//   BESPOKEN_BIN       the server's program, started by the tests' own fixture
//   BESPOKEN_CHROMIUM  a Chromium of the system; without it Playwright takes its own

import { defineConfig, devices } from '@playwright/test';

const asRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: './tests',
  // Each test has a server and a database of its own.
  fullyParallel: true,
  workers: 2,
  // A test that passes at the second try has found something.
  retries: 0,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: 'list',
  use: {
    ...devices['Desktop Chrome'],
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    trace: 'retain-on-failure',
    video: 'off',
    launchOptions: {
      executablePath: process.env.BESPOKEN_CHROMIUM || undefined,
      args: [
        // Chromium refuses its sandbox to root, which is who runs in containers.
        ...(asRoot ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
