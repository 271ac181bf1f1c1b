// Talking to the workspace: JSON requests, and server-sent events that say when to ask again.

const RETRY_MS = [500, 1000, 2000, 5000];

export async function getState(user) {
  const reply = await fetch(`/ui/state${user ? `?user=${encodeURIComponent(user)}` : ""}`, { cache: "no-store" });
  if (!reply.ok) throw new Error(`the workspace answered ${reply.status}`);
  return reply.json();
}

/** POST something that the person did. Always resolves to {ok, error?, errors?}; a lost connection is an error in words. */
export async function post(path, body) {
  try {
    const reply = await fetch(`/ui/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await reply.json().catch(() => null);
    if (answer && typeof answer.ok === "boolean") return answer;
    return { ok: false, error: `The workspace answered ${reply.status} and nothing a person could use.` };
  } catch {
    return { ok: false, error: "The local workspace cannot be reached. Is it still running?" };
  }
}

/** Call `onVersion(n)` after every change and `onLink(up)` when the stream opens or breaks, until closed. */
export function follow(user, onVersion, onLink) {
  let source = null;
  let failures = 0;
  let timer = 0;
  const open = () => {
    source = new EventSource(`/ui/events?user=${encodeURIComponent(user)}`);
    source.onopen = () => {
      failures = 0;
      onLink(true);
    };
    source.onmessage = (event) => onVersion(JSON.parse(event.data).version);
    source.onerror = () => {
      // Reopened by hand: after some errors the browser gives up for good, and its own pause cannot be set here.
      source.close();
      onLink(false);
      timer = setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
