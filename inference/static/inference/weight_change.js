/* Forms that change a network: sends them with the upload's progress, and shows each worker's report as it comes.
   Without this script they work as plain forms, and answer when the workers have. */
"use strict";

(() => {
  const POLL_MS = 400;

  const part = (id) => document.getElementById(id);

  function say(what, toDo) {
    part("trouble-what").textContent = what;
    part("trouble-to-do").textContent = toDo;
    part("trouble").hidden = false;
    part("working").hidden = true;
    for (const button of document.querySelectorAll("form[data-weight-change] button")) button.disabled = false;
  }

  function send(address, body) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", address);
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (sent) => {
        if (sent.lengthComputable) part("upload-progress").value = sent.loaded / sent.total;
      });
      request.addEventListener("loadend", () => {
        try {
          resolve(JSON.parse(request.responseText));
        } catch {
          resolve({ trouble: "The gateway did not answer as expected.", to_do: "Reload the page, and see Activations." });
        }
      });
      request.send(body);
    });
  }

  /* Whether they were shown to the end: who is no longer logged in, or may not see them, is told so instead. */
  async function showReports(address, running) {
    while (running()) {
      try {
        const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "manual" });
        if (answer.type === "opaqueredirect" || answer.status === 403) {
          part("reports").textContent = "You are no longer logged in, or may not see the reports: reload the page.";
          return false;
        }
        if (answer.ok) part("reports").innerHTML = await answer.text();
      } catch {
        /* the gateway is away just now: the next turn asks again */
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return true;
  }

  async function change(form) {
    part("trouble").hidden = true;
    part("working").hidden = false;
    const body = new FormData(form);
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    let address = form.getAttribute("action") || window.location.pathname;
    let progress = form.dataset.progress;
    if (form.dataset.upload !== undefined) {
      const stored = await send(address, body);
      if (!stored.next) return say(stored.trouble, stored.to_do);
      ({ next: address, progress } = stored);
      body.delete("data");
    }
    part("upload-progress").hidden = true;
    let running = true;
    if (progress) showReports(progress, () => running);
    const ended = await send(address, body);
    running = false;
    if (ended.location) window.location.assign(ended.location);
    else say(ended.trouble, ended.to_do);
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("form[data-weight-change]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        change(form);
      });
    }
    const watched = document.querySelector("[data-running]");
    if (watched) {
      const over = () => document.querySelector("#reports [data-ended]") !== null;
      showReports(watched.dataset.running, () => !over()).then((shown) => shown && window.location.reload());
    }
  });
})();
