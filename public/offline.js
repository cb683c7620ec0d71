// Shown instead of a page that could not be loaded: says what waits to be sent, and loads the page
// again when the network is back.
const again = () => (location.pathname === "/offline.html" ? location.replace("/") : location.reload());

const text = (id, words) => {
  document.getElementById(id).textContent = words;
};

// What the chat keeps until the server has it: one key for each message, see the island's `send_key`.
const waiting = Object.keys(localStorage).filter((key) => key.startsWith("bespoken:send:")).length;

if (navigator.onLine) {
  text("what", "The server cannot be reached");
}
if (waiting > 0) {
  text("waiting", `${waiting === 1 ? "1 message" : `${waiting} messages`} will be sent when you are back.`);
}
document.getElementById("again").addEventListener("click", again);
addEventListener("online", again);
// A network without the server does not announce when the server is back. Not all at the same moment.
setTimeout(again, (navigator.onLine ? 5_000 : 20_000) + Math.random() * 5_000);
