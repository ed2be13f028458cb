/* gate.c - frames that nghttp2 forgives and RFC 9113 does not (contract: gate.h). */
#include "gate.h"
#include <string.h>

enum { HEAD_BYTES = 9 };

/* ---- stream numbers ---------------------------------------------------------------------- */

static bool has_bit(const uint64_t *bits, uint32_t i) {
  return bits[i % NET_IDS_KEPT / 64] >> i % 64 & 1;
}
static void set_bit(uint64_t *bits, uint32_t i) {
  bits[i % NET_IDS_KEPT / 64] |= (uint64_t)1 << i % 64;
}
static void clear_bit(uint64_t *bits, uint32_t i) {
  bits[i % NET_IDS_KEPT / 64] &= ~((uint64_t)1 << i % 64);
}

void net_gate_init(NetGate *g) { *g = (NetGate){.to_skip = NGHTTP2_CLIENT_MAGIC_LEN}; }

void net_gate_opened(NetGate *g, uint32_t id) {
  if (id <= g->last) return;
  uint32_t from = g->last / 2 + 1, to = id / 2;
  if (to - from >= NET_IDS_KEPT) from = to - NET_IDS_KEPT + 1;
  for (uint32_t i = from; i <= to; i++) {
    clear_bit(g->opened, i);
    clear_bit(g->reset, i);
  }
  set_bit(g->opened, to);
  g->last = id;
}

void net_gate_reset(NetGate *g, uint32_t id) {
  if (g->last / 2 - id / 2 < NET_IDS_KEPT) set_bit(g->reset, id / 2);
}

/* HEADERS or DATA for a stream that is not open: 5.1, 5.1.1. Ignored if we have reset it. */
static uint32_t closed_stream_error(const NetGate *g, uint32_t id) {
  uint32_t i = id / 2;
  if (g->last / 2 - i >= NET_IDS_KEPT) return NGHTTP2_STREAM_CLOSED;
  if (has_bit(g->reset, i)) return NGHTTP2_NO_ERROR;
  return has_bit(g->opened, i) ? NGHTTP2_STREAM_CLOSED : NGHTTP2_PROTOCOL_ERROR;
}

/* ---- frames ------------------------------------------------------------------------------ */

static uint32_t word(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static uint32_t frame_length(const uint8_t *head) { return word(head) >> 8; }
static uint32_t stream_of(const uint8_t *head) { return word(head + 5) & INT32_MAX; }

/* A request's HEADERS, with a number higher than all before, are what comes most. */
static bool is_in_question(NetGate *g, const uint8_t *head) {
  if (head[3] == NGHTTP2_DATA || head[3] == NGHTTP2_PRIORITY) return true;
  if (head[3] != NGHTTP2_HEADERS) return false;
  if (stream_of(head) <= g->seen) return true;
  g->seen = stream_of(head);
  return false;
}

/* How much of a frame has to be there to judge it, once its head is. */
static size_t wanted(const uint8_t *head) {
  return head[3] == NGHTTP2_PRIORITY && frame_length(head) == 5 ? NET_GATE_LOOKS_AT
                                                                : HEAD_BYTES;
}

/* 5.3.1 of RFC 7540, which the suites still ask for: no stream depends on itself. */
static uint32_t judge(const NetGate *g, nghttp2_session *h2, const uint8_t *frame) {
  uint32_t id = stream_of(frame);
  if (frame[3] == NGHTTP2_PRIORITY) {
    if (frame_length(frame) != 5) return NGHTTP2_NO_ERROR; /* nghttp2 looks at that */
    return !id || (word(frame + HEAD_BYTES) & INT32_MAX) == id ? NGHTTP2_PROTOCOL_ERROR
                                                               : NGHTTP2_NO_ERROR;
  }
  if (id > g->last || !(id & 1) || nghttp2_session_find_stream(h2, (int32_t)id))
    return NGHTTP2_NO_ERROR;
  return closed_stream_error(g, id);
}

/* The start of a frame from the end of one piece and the beginning of the next: gives how much
 * it took of bytes; *is_whole once it can be judged. */
static size_t complete_held(NetGate *g, const uint8_t *bytes, size_t len, bool *is_whole) {
  size_t taken = 0;
  for (;;) {
    size_t need = g->held_len < HEAD_BYTES ? HEAD_BYTES : wanted(g->held);
    *is_whole = g->held_len == need && need == wanted(g->held);
    if (*is_whole || taken == len) return taken;
    g->held[g->held_len++] = bytes[taken++];
  }
}

uint32_t net_gate(NetGate *g, nghttp2_session *h2, const uint8_t *bytes, size_t len,
                  NetGatePass *pass, void *user) {
  size_t from = 0, at = 0; /* [from, at) is not passed yet */
  while (at < len) {
    if (g->to_skip) {
      size_t n = len - at < g->to_skip ? len - at : (size_t)g->to_skip;
      at += n;
      g->to_skip -= n;
      continue;
    }
    const uint8_t *frame = bytes + at;
    size_t here = len - at;
    bool is_held = g->held_len || here < HEAD_BYTES || here < wanted(frame);
    if (is_held) {
      if (at > from && !pass(user, bytes + from, at - from)) return NGHTTP2_NO_ERROR;
      bool is_whole;
      at += complete_held(g, frame, here, &is_whole);
      from = at;
      if (!is_whole) break;
      frame = g->held;
    }
    if (is_in_question(g, frame)) {
      if (at > from && !pass(user, bytes + from, at - from)) return NGHTTP2_NO_ERROR;
      from = at;
      uint32_t error = judge(g, h2, frame);
      if (error) return error;
    }
    g->to_skip = HEAD_BYTES + (uint64_t)frame_length(frame) - g->held_len;
    if (is_held) {
      unsigned n = g->held_len;
      g->held_len = 0;
      if (!pass(user, g->held, n)) return NGHTTP2_NO_ERROR;
    }
  }
  if (at > from) pass(user, bytes + from, at - from);
  return NGHTTP2_NO_ERROR;
}
