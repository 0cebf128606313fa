// Keeps a page up to date without disturbing who reads it. Every page can be read, and every form works, without it.
"use strict";

(() => {
  const seen = new Map(); // the parts of the page, as the server last sent them

  for (const part of document.querySelectorAll("[data-part]")) seen.set(part.id, part.outerHTML);

  const isBeingRead = (part) => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
  };

  const likeness = (element) => element.id || [element.tagName, element.getAttribute("href"), element.textContent].join(" ");

  // Takes over what somebody has opened, and where they are.
  const replace = (old, fresh) => {
    for (const details of old.querySelectorAll("details[open][id]")) {
      fresh.querySelector("#" + CSS.escape(details.id))?.setAttribute("open", "");
    }
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(fresh);
    if (active !== null && active !== old) {
      const same = [...fresh.querySelectorAll(active.tagName)].find((one) => likeness(one) === likeness(active));
      (same ?? document.getElementById("content")).focus({ preventScroll: true });
    }
  };

  htmx.defineExtension("calm", {
    handleSwap: (style, target, fragment) => {
      if (style !== "calm") return false;
      const changed = [];
      for (const fresh of fragment.querySelectorAll("[data-part]")) {
        const old = document.getElementById(fresh.id);
        const text = fresh.outerHTML;
        if (old === null || seen.get(fresh.id) === text || isBeingRead(old)) continue;
        seen.set(fresh.id, text);
        replace(old, fresh);
        changed.push(fresh);
      }
      return changed;
    },
  });

  const stale = document.getElementById("stale");

  document.addEventListener("htmx:beforeRequest", (event) => {
    const isAskedByClock = event.detail.requestConfig.verb === "get";
    if (isAskedByClock && document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const status = event.detail.xhr.status;
    stale.hidden = status !== 0 && status < 500;
  });

  // What is refused is shown in the place of the page, as without scripts.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = event.detail;
    if (detail.xhr.status < 400 || detail.requestConfig.verb !== "post") return;
    detail.shouldSwap = true;
    detail.isError = false;
    detail.target = document.getElementById("content");
    detail.selectOverride = "#content";
    detail.swapOverride = "outerHTML";
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "content") document.getElementById("content").focus();
  });
})();
