// A bare chat server on socket.io: rooms, typing, messages.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { file, open } from "./chat.mjs";

const store = await open(file);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

io.on("connection", (socket) => {
  const participant = socket.handshake.query.id;
  socket.on("joinRequest", ({ room }) => {
    socket.join(room);
    socket.emit("joined", { room });
  });
  socket.on("typing", ({ room, on }) => {
    socket.to(room).emit("typing", { room, participant, on });
  });
  socket.on("sendMessage", ({ room, client_id, content }) => {
    const message = store.post({ room, sender: participant, client_id, content });
    socket.emit("ack", { room, client_id, message });
    io.to(room).emit("newMessage", { room, rev: message.rev, message });
  });
});
http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
