// The chat widget of BizOSaaS: one script, no dependencies.
//
//   <script src="https://chat.example.com/widget.js" data-token-function="chatToken" defer></script>
//
// `data-token-function` names a function of the page that answers an access token, or a promise of one; `data-token` has the
// token itself. Or call BizOSaaSChat.start({ token, base, title }) when it is time.
(() => {
  'use strict';

  const script = document.currentScript;
  const home = script ? new URL(script.src).origin : location.origin;
  const KEPT = 'bizosaas-chat-conversation';

  const STYLE = `
    :host { all: initial; color-scheme: light dark; }
    * { box-sizing: border-box; font: 15px/1.45 system-ui, sans-serif; }
    [hidden] { display: none !important; }
    button { cursor: pointer; border: 1px solid #1d4ed8; border-radius: 8px; padding: 6px 12px; background: #fff; color: #1d4ed8; }
    button:disabled { opacity: .6; cursor: default; }
    button:focus-visible, textarea:focus-visible, .log:focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
    .open, .send { background: #1d4ed8; color: #fff; }
    .open { position: fixed; right: 20px; bottom: 20px; padding: 12px 18px; border-radius: 999px; z-index: 2147483000; }
    .panel { position: fixed; right: 20px; bottom: 80px; width: min(380px, calc(100vw - 40px));
      height: min(560px, calc(100vh - 110px)); display: flex; flex-direction: column; background: #fff; color: #111827;
      border: 1px solid #9ca3af; border-radius: 14px; overflow: hidden; z-index: 2147483000;
      box-shadow: 0 12px 32px rgba(0, 0, 0, .25); }
    header { display: flex; align-items: center; justify-content: space-between; padding: 10px 14px; background: #1e3a8a; color: #fff; }
    header h2 { margin: 0; font-weight: 600; }
    .log { flex: 1; overflow-y: auto; padding: 12px; display: flex; flex-direction: column; gap: 8px; }
    .said { max-width: 85%; padding: 8px 12px; border-radius: 12px; white-space: pre-wrap; overflow-wrap: anywhere; }
    .name { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .user { align-self: flex-end; background: #1d4ed8; color: #fff; }
    .assistant { align-self: flex-start; background: #eef2ff; color: #111827; }
    .problem { align-self: flex-start; background: #fef2f2; color: #991b1b; }
    .choices { display: flex; flex-wrap: wrap; gap: 6px; }
    form { display: flex; gap: 8px; padding: 10px; border-top: 1px solid #d1d5db; align-items: flex-end; }
    .field { flex: 1; display: flex; flex-direction: column; }
    label { font-size: 12px; color: #374151; }
    textarea { width: 100%; min-height: 40px; max-height: 120px; resize: vertical; padding: 8px; border: 1px solid #6b7280;
      border-radius: 8px; background: #fff; color: #111827; }
    @media (prefers-color-scheme: dark) {
      .panel, textarea { background: #111827; color: #f3f4f6; }
      .assistant { background: #1f2937; color: #f3f4f6; }
      .problem { background: #450a0a; color: #fecaca; }
      label { color: #d1d5db; }
      button:not(.open):not(.send) { background: #111827; color: #93c5fd; border-color: #93c5fd; }
    }`;

  // An element with attributes and children; text is only ever text.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function key() {
    if (crypto.randomUUID) return crypto.randomUUID();
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  class Chat {
    constructor(options) {
      this.options = options;
      this.base = options.base || home;
      this.conversation = this.kept();
      this.build();
    }

    kept() {
      try { return sessionStorage.getItem(KEPT); } catch { return null; }
    }

    keep(id) {
      this.conversation = id;
      try { id ? sessionStorage.setItem(KEPT, id) : sessionStorage.removeItem(KEPT); } catch { /* not allowed: only this page has it */ }
    }

    build() {
      const title = this.options.title || 'Assistant';
      this.host = make('div', { 'data-bizosaas-chat': '' });
      const root = this.host.attachShadow({ mode: 'open' });
      // A sheet made by the script is not inline style, so that a strict Content-Security-Policy lets it be.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.button = make('button', { class: 'open', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'panel' }, 'Chat');
      this.close = make('button', { type: 'button', 'aria-label': 'Close the chat' }, 'Close');
      this.log = make('div', { class: 'log', role: 'log', 'aria-live': 'polite', 'aria-label': 'Conversation', tabindex: '0' });
      this.input = make('textarea', { id: 'message', rows: '1', maxlength: '2000', autocomplete: 'off' });
      this.send = make('button', { class: 'send', type: 'submit' }, 'Send');
      const field = make('div', { class: 'field' }, make('label', { for: 'message' }, 'Your message'), this.input);
      this.form = make('form', {}, field, this.send);
      const head = make('header', {}, make('h2', { id: 'title' }, title), this.close);
      this.panel = make('section', { class: 'panel', id: 'panel', role: 'dialog', 'aria-labelledby': 'title', hidden: '' }, head, this.log, this.form);
      root.append(this.button, this.panel);
      this.listen();
      document.body.append(this.host);
    }

    listen() {
      this.button.addEventListener('click', () => this.toggle(this.panel.hidden));
      this.close.addEventListener('click', () => this.toggle(false));
      this.panel.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') this.toggle(false);
      });
      this.input.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.form.requestSubmit();
      });
      this.form.addEventListener('submit', (event) => {
        event.preventDefault();
        const message = this.input.value.trim();
        if (message && !this.busy) {
          this.input.value = '';
          this.say(message);
        }
      });
    }

    async toggle(open) {
      this.panel.hidden = !open;
      this.button.setAttribute('aria-expanded', String(open));
      (open ? this.input : this.button).focus();
      if (open && !this.begun) {
        this.begun = true;
        await this.begin();
      }
    }

    async begin() {
      try {
        const config = await this.call('GET', '/api/widget/config');
        this.show('assistant', config.greeting);
        this.choose(config.suggestions.map((text) => [text, () => this.say(text)]));
      } catch (problem) {
        this.begun = false;
        this.show('problem', problem.message);
      }
    }

    show(who, text) {
      const name = { user: 'You: ', assistant: 'Assistant: ', problem: '' }[who];
      const line = make('div', { class: `said ${who}` }, make('span', { class: 'name' }, name), text);
      this.log.append(line);
      this.log.scrollTop = this.log.scrollHeight;
    }

    choose(choices) {
      if (this.choices) this.choices.remove();
      this.choices = null;
      if (!choices.length) return;
      const buttons = choices.map(([text, act]) => {
        const button = make('button', { type: 'button' }, text);
        button.addEventListener('click', () => { if (!this.busy) act(); });
        return button;
      });
      this.choices = make('div', { class: 'choices', role: 'group', 'aria-label': 'Answers' }, ...buttons);
      this.log.append(this.choices);
      this.log.scrollTop = this.log.scrollHeight;
    }

    say(message) {
      const body = { message, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
      if (this.conversation) body.conversation_id = this.conversation;
      this.turn(message, '/api/chat', body, key());
    }

    decide(said, id, verb) {
      this.turn(said, `/api/chat/actions/${encodeURIComponent(id)}/${verb}`, undefined, undefined);
    }

    // The same key on another try: what was done is not done again.
    async turn(said, path, body, idempotencyKey) {
      this.show('user', said);
      this.choose([]);
      await this.answer(path, body, idempotencyKey);
    }

    async answer(path, body, idempotencyKey) {
      this.wait(true);
      try {
        this.answered(await this.call('POST', path, body, idempotencyKey));
      } catch (problem) {
        this.show('problem', problem.message);
        if (problem.code === 'conversation_not_found') this.keep(null);
        const waiting = problem.confirmation;
        if (waiting) this.ask(waiting);
        else if (problem.again) this.choose([['Try again', () => this.answer(path, body, idempotencyKey)]]);
      } finally {
        this.wait(false);
      }
    }

    answered(answer) {
      this.keep(answer.conversation_id);
      this.show('assistant', answer.reply);
      if (answer.confirmation) this.ask(answer.confirmation);
      else this.choose(answer.actions.filter((one) => one.can_undo).slice(-1).map((one) => ['Undo', () => this.decide('Undo', one.id, 'undo')]));
    }

    ask(confirmation) {
      this.choose([
        ['Yes', () => this.decide('Yes', confirmation.action_id, 'confirm')],
        ['No', () => this.decide('No', confirmation.action_id, 'reject')],
      ]);
    }

    wait(busy) {
      this.busy = busy;
      // The button that was pressed is gone.
      if (!busy && !this.panel.hidden && !this.host.shadowRoot.activeElement) this.input.focus();
      this.send.disabled = busy;
      this.log.setAttribute('aria-busy', String(busy));
    }

    async call(method, path, body, idempotencyKey, again = true) {
      const headers = { accept: 'application/json', authorization: `Bearer ${await this.token(!again)}` };
      if (body) headers['content-type'] = 'application/json';
      if (idempotencyKey) headers['idempotency-key'] = idempotencyKey;
      let response;
      try {
        response = await fetch(this.base + path, { method, headers, body: body && JSON.stringify(body), credentials: 'omit' });
      } catch {
        throw Object.assign(new Error('The assistant cannot be reached.'), { again: true });
      }
      if (response.status === 401 && again) return this.call(method, path, body, idempotencyKey, false);
      const answer = await response.json().catch(() => ({}));
      if (response.ok) return answer;
      const text = answer.detail || answer.title || 'That did not work.';
      const later = response.status === 429 || response.status >= 500;
      throw Object.assign(new Error(text), { code: answer.code, confirmation: answer.confirmation, again: later });
    }

    // `fresh`: the last one was refused.
    async token(fresh) {
      const { token } = this.options;
      return typeof token === 'function' ? token(fresh) : token;
    }
  }

  function start(options) {
    if (!options || !options.token) throw new Error('BizOSaaSChat.start needs a token, or a function that answers one');
    if (!window.BizOSaaSChat.chat) window.BizOSaaSChat.chat = new Chat(options);
    return window.BizOSaaSChat.chat;
  }

  window.BizOSaaSChat = { start, chat: null };

  function fromAttributes() {
    const { token, tokenFunction, title } = script ? script.dataset : {};
    if (tokenFunction) start({ token: (fresh) => window[tokenFunction](fresh), title });
    else if (token) start({ token, title });
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', fromAttributes);
  else fromAttributes();
})();
