// Starts configurable-http-proxy with its admin API on the control network's address alone.
//
// The students' network reaches this container too: an API on every address would let a server
// rewrite everybody's routes if the token ever leaked. The token travels in the environment of this
// one process, never in its arguments, which every process of the machine can read.
import fs from "node:fs";
import net from "node:net";
import os from "node:os";

function addressWithin(subnet) {
  const [network, prefix] = subnet.split("/");
  const range = new net.BlockList();
  range.addSubnet(network, Number(prefix));
  const found = Object.values(os.networkInterfaces())
    .flat()
    .find((each) => each.family === "IPv4" && range.check(each.address));
  if (!found) throw new Error(`PAILLASSE_CONTROL_SUBNET: no address of this container is in ${subnet}`);
  return found.address;
}

const { PAILLASSE_CONTROL_SUBNET, PAILLASSE_HUB_URL, PAILLASSE_SECRETS } = process.env;
process.env.CONFIGPROXY_AUTH_TOKEN = fs.readFileSync(`${PAILLASSE_SECRETS}/proxy_token`, "utf8").trim();
process.argv.push(
  "--ip=0.0.0.0",
  "--port=8000",
  `--api-ip=${addressWithin(PAILLASSE_CONTROL_SUBNET)}`,
  "--api-port=8001",
  // Before the Hub has told its routes (this process is new), everything goes to the Hub, which knows
  // what runs, instead of answering 404.
  `--default-target=${PAILLASSE_HUB_URL}`,
  "--error-path=/opt/proxy/errors",
  // Longer than the interval of any reverse proxy in front, so that it never meets a closed connection.
  "--keep-alive-timeout=75000",
  "--log-level=warn",
);
await import("/opt/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy");
