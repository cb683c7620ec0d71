// A bare chat server on ws: rooms, typing, messages.
import { WebSocketServer } from "ws";
import { file, open } from "./chat.mjs";

const store = await open(file);
const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });

server.on("connection", (socket, request) => {
  const participant = new URL(request.url, "http://localhost").searchParams.get("id");
  const joined = new Set();
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    const { room } = frame;
    switch (frame.type) {
      case "joinRequest": {
        if (!rooms.has(room)) rooms.set(room, new Set());
        rooms.get(room).add(socket);
        joined.add(room);
        socket.send(JSON.stringify({ type: "joined", room }));
        break;
      }
      case "typing": {
        const text = JSON.stringify({ type: "typing", room, participant, on: frame.on });
        for (const other of rooms.get(room)) if (other !== socket) other.send(text);
        break;
      }
      case "sendMessage": {
        const message = store.post({ ...frame, sender: participant });
        socket.send(JSON.stringify({ type: "ack", room, client_id: frame.client_id, message }));
        const text = JSON.stringify({ type: "newMessage", room, rev: message.rev, message });
        for (const other of rooms.get(room)) other.send(text);
        break;
      }
    }
  });
  socket.on("close", () => {
    for (const room of joined) rooms.get(room).delete(socket);
  });
});
server.on("listening", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
