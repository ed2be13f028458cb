// One request with Node's http2. usage: node_client.js URL CERTIFICATE METHOD PATH [hash [FILE]]
// Prints the status and the body, or its SHA-256; FILE is the body sent.
const http2 = require('http2'), fs = require('fs'), crypto = require('crypto');
const [url, certificate, method, path, how, file] = process.argv.slice(2);
const session = http2.connect(url, { ca: fs.readFileSync(certificate), settings: { initialWindowSize: 1 << 20 } });
session.on('error', e => { console.log('error', e.message); process.exit(1); });
const stream = session.request({ ':method': method, ':path': path });
const hash = crypto.createHash('sha256'), parts = [];
let status;
stream.on('response', fields => { status = fields[':status']; });
stream.on('data', part => how ? hash.update(part) : parts.push(part));
stream.on('end', () => {
  console.log(status, how ? hash.digest('hex') : Buffer.concat(parts).toString());
  session.close();
});
if (file) fs.createReadStream(file).pipe(stream); else stream.end();
