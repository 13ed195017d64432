// Asks the browser for a passkey, and sends its answer with the form that the button is in. Everything else on
// the page works without scripts.
(() => {
  const bytes = (text) => {
    const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  };
  const text = (buffer) => {
    const binary = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  };
  const known = (credential) => ({ ...credential, id: bytes(credential.id) });

  const create = async (options) => {
    options.challenge = bytes(options.challenge);
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = (options.excludeCredentials || []).map(known);
    const { response } = await answer(navigator.credentials.create({ publicKey: options }));
    return {
      attestationObject: text(response.attestationObject),
      clientDataJSON: text(response.clientDataJSON),
      transports: response.getTransports ? response.getTransports() : [],
    };
  };
  const get = async (options) => {
    options.challenge = bytes(options.challenge);
    options.allowCredentials = (options.allowCredentials || []).map(known);
    const { response } = await answer(navigator.credentials.get({ publicKey: options }));
    return {
      authenticatorData: text(response.authenticatorData),
      clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    };
  };
  let credential;
  const answer = async (asked) => (credential = await asked);

  const ask = async (form, status) => {
    const options = JSON.parse(form.dataset.publicKey);
    status.textContent = 'Follow what your browser or device asks you to do.';
    try {
      const response = form.dataset.passkey === 'create' ? await create(options) : await get(options);
      const { id, rawId, type } = credential;
      const clientExtensionResults = credential.getClientExtensionResults();
      form.elements.credential.value = JSON.stringify({
        id, rawId: text(rawId), type, response, clientExtensionResults,
      });
      form.submit();
    } catch (error) {
      // The browser says why in words for developers: whoever cancelled knows, and all can try again.
      status.textContent = error.name === 'InvalidStateError'
        ? 'This device has a passkey for you already.'
        : 'That did not work, or was cancelled. You can try again.';
    }
  };

  for (const form of document.querySelectorAll('form[data-passkey]')) {
    const status = form.querySelector('[role=status]');
    if (!window.PublicKeyCredential) {
      status.textContent = 'This browser does not know passkeys.';
      continue;
    }
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      ask(form, status);
    });
  }
})();
