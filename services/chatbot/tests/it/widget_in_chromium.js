window.chatToken = async () => 'TOKEN';
const errors = [];
addEventListener('error', (event) => errors.push(event.message));
addEventListener('securitypolicyviolation', (event) => errors.push(`${event.violatedDirective} ${event.blockedURI}`));
addEventListener('load', async () => {
  const root = await until(() => document.querySelector('[data-bizosaas-chat]')?.shadowRoot);
  const one = (selector) => root.querySelector(selector);
  const buttons = () => [...root.querySelectorAll('.choices button')].map((button) => button.textContent).join('|');
  const seen = [];
  one('.open').click();
  seen.push(`focus ${root.activeElement.id}`, `expanded ${one('.open').getAttribute('aria-expanded')}`);
  await until(() => buttons());
  one('textarea').value = 'delete the report';
  press(one('textarea'), 'Enter');
  await until(() => buttons() === 'Yes|No');
  seen.push(`choices ${buttons()}`);
  one('.choices button').click();
  await until(() => buttons() === 'Undo');
  seen.push(`after ${buttons()}`, `markup ${root.querySelectorAll('b').length}`);
  press(one('.panel'), 'Escape');
  seen.push(`hidden ${one('.panel').hidden}`, `focus ${root.activeElement.className}`);
  seen.push(`errors ${JSON.stringify(errors)}`);
  document.title = seen.join('; ');
});

function press(element, key) {
  element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

async function until(there) {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = there();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  document.title = `gave up; errors ${JSON.stringify(errors)}`;
  throw new Error('gave up');
}
