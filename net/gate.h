/* gate.h - what RFC 9113 forbids a client and nghttp2 lets pass.
 *
 * nghttp2 ignores frames for streams it has forgotten, and all of PRIORITY. To tell those cases
 * apart it could keep closed streams, at 300 bytes each; here it is two bits for each of the
 * latest numbers. The gate cuts the bytes a peer sends into frames, before nghttp2 does, and
 * lets it have all that comes before a frame in question first, so that what is known about
 * streams is up to date. */
#ifndef NET_GATE_H
#define NET_GATE_H
#include <nghttp2/nghttp2.h>
#include <stdbool.h>

enum {
  NET_IDS_KEPT = 256,
  NET_GATE_LOOKS_AT = 9 + 4, /* a frame's head, and the first word of PRIORITY */
};
typedef struct NetGate {
  uint32_t last; /* the highest stream number used */
  uint32_t seen; /* the highest that came by; nghttp2 may not have had it yet */
  uint64_t opened[NET_IDS_KEPT /
                  64]; /* a bit each for the latest odd ones: was used, not passed over */
  uint64_t reset[NET_IDS_KEPT / 64]; /* by us: what the peer sent before it knew is ignored */
  uint64_t to_skip;                  /* bytes of the frame that is coming in */
  uint8_t held[NET_GATE_LOOKS_AT];   /* the start of a frame that came in pieces */
  unsigned held_len;
} NetGate;

/* What comes first is the client's connection preface. */
void net_gate_init(NetGate *g);
void net_gate_opened(NetGate *g, uint32_t id);
/* We have reset the stream. */
void net_gate_reset(NetGate *g, uint32_t id);

/* Passes bytes on: pass gets pieces of them, in order, and says whether it wants more. Gives
 * NGHTTP2_NO_ERROR, or the code to end the connection with; the frame that is wrong is not
 * passed. */
typedef bool NetGatePass(void *user, const uint8_t *bytes, size_t len);
uint32_t net_gate(NetGate *g, nghttp2_session *h2, const uint8_t *bytes, size_t len,
                  NetGatePass *pass, void *user);
#endif
