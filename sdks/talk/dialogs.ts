/** Keypad, invitation and devices: what opens over the call. */
import type { Call } from '../web/src/index.js';
import { find } from './page.js';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

export function dialogs(call: () => Call | undefined, link: () => string, failed: (error: unknown) => void): void {
  keypad(call, failed);
  invitation(link);
  devices(call, failed);
  for (const box of document.querySelectorAll('dialog')) {
    // A click on what lies around it closes it.
    box.addEventListener('click', (event) => event.target === box && box.close());
  }
}

function keypad(call: () => Call | undefined, failed: (error: unknown) => void): void {
  const box = find<HTMLDialogElement>('keypad-box');
  const press = (key: string) => {
    find('pressed').textContent += key;
    call()?.sendDtmf(key).catch(failed);
  };
  for (const key of KEYS) {
    const button = Object.assign(document.createElement('button'), { textContent: key, type: 'button' });
    button.addEventListener('click', () => press(key));
    find('pad').append(button);
  }
  box.addEventListener('keydown', ({ key }) => KEYS.includes(key) && press(key));
  find('keypad').addEventListener('click', () => {
    find('pressed').textContent = '';
    box.showModal();
  });
}

function invitation(link: () => string): void {
  const input = find<HTMLInputElement>('link');
  const copy = find('copy');
  find('invite').addEventListener('click', () => {
    input.value = link();
    copy.textContent = 'Copy link';
    find<HTMLDialogElement>('invite-box').showModal();
    input.select();
  });
  copy.addEventListener('click', async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      copy.textContent = 'Copied';
    } catch {
      // No clipboard for this page: the link is selected, and can be copied by hand.
      copy.textContent = 'Press Ctrl-C';
    }
  });
}

function devices(call: () => Call | undefined, failed: (error: unknown) => void): void {
  const microphone = find<HTMLSelectElement>('microphone');
  const speaker = find<HTMLSelectElement>('speaker');
  const fill = (select: HTMLSelectElement, all: MediaDeviceInfo[], used: string | undefined) => {
    select.replaceChildren(...all.map((each) => new Option(each.label || 'Default', each.deviceId, false, each.deviceId === used)));
    select.disabled = all.length === 0;
  };
  const list = async () => {
    const now = call();
    if (!now) return;
    fill(microphone, await now.microphones(), now.room.getActiveDevice('audioinput'));
    fill(speaker, await now.speakers(), now.room.getActiveDevice('audiooutput'));
  };
  find('devices').addEventListener('click', () => {
    list().catch(failed);
    find<HTMLDialogElement>('devices-box').showModal();
  });
  microphone.addEventListener('change', () => call()?.useMicrophone(microphone.value).catch(failed));
  speaker.addEventListener('change', () => call()?.useSpeaker(speaker.value).catch(failed));
}
