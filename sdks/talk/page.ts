/** The page's parts, by name. */
export const find = <E extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as E;

export type Scene = 'loading' | 'lobby' | 'call' | 'over';

export function scene(now: Scene): void {
  document.body.dataset['scene'] = now;
  const inCall = now === 'call' || now === 'over';
  find('lobby').hidden = now !== 'lobby';
  find('stage').hidden = find('talk').hidden = !inCall;
  find('bar').hidden = find('say').hidden = now !== 'call';
  find('after').hidden = now !== 'over';
  find('clock').hidden = !inCall;
}

export function alarm(text: string): void {
  const box = find('alert');
  box.firstElementChild!.textContent = text;
  box.hidden = text === '';
}

export function label(button: HTMLElement, icon: string, text: string): void {
  button.querySelector('use')!.setAttribute('href', `#i-${icon}`);
  button.querySelector('span:last-child')!.textContent = text;
}

export function choices(agents: Array<{ id: string; name: string; about: string; demo: boolean }>): void {
  const field = find('agents');
  field.querySelectorAll('label').forEach((each) => each.remove());
  agents.forEach((agent, index) => {
    const choice = document.createElement('label');
    choice.className = 'choice';
    const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'agent', value: agent.id, checked: index === 0 });
    const face = Object.assign(document.createElement('span'), { className: 'face', textContent: initial(agent.name) });
    const name = Object.assign(document.createElement('strong'), { textContent: agent.name });
    const about = Object.assign(document.createElement('small'), { textContent: agent.about });
    choice.append(input, face, name, about);
    if (agent.demo) choice.append(Object.assign(document.createElement('em'), { className: 'tag', textContent: 'Demo voice' }));
    field.append(choice);
  });
}

export const initial = (name: string) => [...name.trim()][0]?.toUpperCase() ?? '?';
