// A bare chat server on Bun, whose WebSockets are uWebSockets: rooms, typing, messages.
import { open } from "./chat.mjs";

const store = await open();
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    const participant = new URL(request.url).searchParams.get("id");
    return server.upgrade(request, { data: { participant } }) ? undefined : new Response(null, { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    message(socket, data) {
      const frame = JSON.parse(data);
      const { room } = frame;
      switch (frame.type) {
        case "joinRequest":
          socket.subscribe(room);
          socket.send(JSON.stringify({ type: "joined", room }));
          break;
        case "typing":
          socket.publish(room, JSON.stringify({ type: "typing", room, participant: socket.data.participant, on: frame.on }));
          break;
        case "sendMessage": {
          const message = store.post({ ...frame, sender: socket.data.participant });
          socket.send(JSON.stringify({ type: "ack", room, client_id: frame.client_id, message }));
          server.publish(room, JSON.stringify({ type: "newMessage", room, rev: message.rev, message }));
          break;
        }
      }
    },
  },
});
console.log(`listening on http://127.0.0.1:${server.port}`);
