# A worker of one file, which may reach this machine. KEY, BASE_URL, AGENT and PORT are filled in.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker-bundled.mjs")],
      bindings = [
        (name = "RYMI_API_KEY", text = "{KEY}"),
        (name = "RYMI_BASE_URL", text = "{BASE_URL}"),
        (name = "AGENT", text = "{AGENT}"),
      ],
      compatibilityDate = "2026-11-01",
      globalOutbound = "this-machine",
    )),
    (name = "this-machine", network = (allow = ["local", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{PORT}", http = (), service = "main")],
);
