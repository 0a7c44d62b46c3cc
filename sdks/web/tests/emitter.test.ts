import { expect, test, vi } from 'vitest';
import { Emitter } from '../src/emitter.js';

class Bell extends Emitter<{ rings: number }> {
  ring(times: number) {
    this.emit('rings', times);
  }
}

test('a listener hears until it is taken away', () => {
  const bell = new Bell();
  const heard: number[] = [];
  const off = bell.on('rings', (times) => heard.push(times));
  bell.once('rings', (times) => heard.push(times * 10));
  bell.ring(1);
  bell.ring(2);
  off();
  bell.ring(3);
  expect(heard).toEqual([1, 10, 2]);
});

test('a listener that fails is reported and stops no other', () => {
  const reported: unknown[] = [];
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
  const bell = new Bell();
  const heard: number[] = [];
  bell.on('rings', () => {
    throw new Error('a bug of the page');
  });
  bell.on('rings', (times) => heard.push(times));
  bell.ring(1);
  expect(heard).toEqual([1]);
  expect(String(reported[0])).toContain('a bug of the page');
  vi.unstubAllGlobals();
});
