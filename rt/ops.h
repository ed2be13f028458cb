/* ops.h - inline fast paths of the primitives flagged INLINE (included by vk.h).
 *
 * vk_op_NAME(c, args..., pos) does the common case inline and leaves the rest to
 * vk_NAME_slow(c, args..., pos), which is out of line, cold, and puts pos into an error. */
#ifndef VK_OPS_H
#define VK_OPS_H

/* ---- numbers (numbers.c, bits.c) ------------------------------------------------------------
 * One predictable branch for two fixnums; an overflow leaves for big integers like any other
 * operand. Words are shifted left by 3, so sums need no shifts and products one. */

#ifdef __TINYC__ /* has no overflow builtins, and no 128-bit product */
#define VK_ADD_OVERFLOWS(a, b, r)                                                             \
  (*(r) = (int64_t)((V)(a) + (V)(b)), (((a) ^ *(r)) & ((b) ^ *(r))) < 0)
#define VK_SUB_OVERFLOWS(a, b, r)                                                             \
  (*(r) = (int64_t)((V)(a) - (V)(b)), (((a) ^ (b)) & ((a) ^ *(r))) < 0)
#define VK_IS_32BIT(n) ((n) == (int32_t)(n))
#define VK_MUL_OVERFLOWS(a, b, r)                                                             \
  (!VK_IS_32BIT(a) || !VK_IS_32BIT(b) || (*(r) = (a) * (b), 0))
#else
#define VK_ADD_OVERFLOWS(a, b, r) __builtin_add_overflow(a, b, r)
#define VK_SUB_OVERFLOWS(a, b, r) __builtin_sub_overflow(a, b, r)
#define VK_MUL_OVERFLOWS(a, b, r) __builtin_mul_overflow(a, b, r)
#endif

/* a + b, a - b of values: true if they are not both fixnums or the result does not fit. */
static inline int vk_add_fails(V a, V b, int64_t *r) {
  return !VK_IS_FIX2(a, b) || VK_ADD_OVERFLOWS((int64_t)a, (int64_t)b, r);
}
static inline int vk_sub_fails(V a, V b, int64_t *r) {
  return !VK_IS_FIX2(a, b) || VK_SUB_OVERFLOWS((int64_t)a, (int64_t)b, r);
}

V vk_add_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_add(vk *c, V a, V b, const VkPos *pos) {
  int64_t r;
  if (VK_LIKELY(!vk_add_fails(a, b, &r))) return (V)r;
  return vk_add_slow(c, a, b, pos);
}

V vk_sub_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_sub(vk *c, V a, V b, const VkPos *pos) {
  int64_t r;
  if (VK_LIKELY(!vk_sub_fails(a, b, &r))) return (V)r;
  return vk_sub_slow(c, a, b, pos);
}

V vk_neg_slow(vk *c, V a, const VkPos *pos) VK_COLD;
static inline V vk_op_neg(vk *c, V a, const VkPos *pos) {
  int64_t r;
  if (VK_LIKELY(VK_IS_FIX(a)) && !VK_SUB_OVERFLOWS((int64_t)0, (int64_t)a, &r)) return (V)r;
  return vk_neg_slow(c, a, pos);
}

V vk_mul_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_mul(vk *c, V a, V b, const VkPos *pos) {
  int64_t r;
  if (VK_LIKELY(VK_IS_FIX2(a, b) && !VK_MUL_OVERFLOWS((int64_t)a >> 3, (int64_t)b, &r)))
    return (V)r;
  return vk_mul_slow(c, a, b, pos);
}

/* Quotients: the divisor 0 is an error; -1 may overflow (FIX_MIN / -1), and x % -1 is 0 but
 * need not be fast. One unsigned comparison excludes both. */
#define VK_IS_DIVISOR(b) ((b) + 8 > 8)

V vk_div_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_div(vk *c, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, b) && VK_IS_DIVISOR(b))) return VK_FIX((int64_t)a / (int64_t)b);
  return vk_div_slow(c, a, b, pos);
}

V vk_rem_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_rem(vk *c, V a, V b, const VkPos *pos) { /* sign of the dividend */
  if (VK_LIKELY(VK_IS_FIX2(a, b) && VK_IS_DIVISOR(b))) return (V)((int64_t)a % (int64_t)b);
  return vk_rem_slow(c, a, b, pos);
}

V vk_mod_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_mod(vk *c, V a, V b, const VkPos *pos) { /* sign of the divisor */
  if (VK_LIKELY(VK_IS_FIX2(a, b) && VK_IS_DIVISOR(b))) {
    int64_t r = (int64_t)a % (int64_t)b;
    return (V)(r != 0 && (r ^ (int64_t)b) < 0 ? r + (int64_t)b : r);
  }
  return vk_mod_slow(c, a, b, pos);
}

V vk_lt_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_lt(vk *c, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, b))) return VK_FIX((int64_t)a < (int64_t)b);
  return vk_lt_slow(c, a, b, pos);
}

V vk_gt_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_gt(vk *c, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, b))) return VK_FIX((int64_t)a > (int64_t)b);
  return vk_gt_slow(c, a, b, pos);
}

V vk_le_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_le(vk *c, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, b))) return VK_FIX((int64_t)a <= (int64_t)b);
  return vk_le_slow(c, a, b, pos);
}

V vk_ge_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_ge(vk *c, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, b))) return VK_FIX((int64_t)a >= (int64_t)b);
  return vk_ge_slow(c, a, b, pos);
}

V vk_max_slow(vk *c, V a, V b, const VkPos *pos); /* floats: not rare */
static inline V vk_op_max(vk *c, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, b))) return (int64_t)a >= (int64_t)b ? a : b;
  return vk_max_slow(c, a, b, pos);
}

V vk_min_slow(vk *c, V a, V b, const VkPos *pos);
static inline V vk_op_min(vk *c, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, b))) return (int64_t)a <= (int64_t)b ? a : b;
  return vk_min_slow(c, a, b, pos);
}

/* Structural equality (equal.c); takes any values, errors too, and never fails. Not cold:
 * strings and symbols go this way. */
V vk_eq(vk *c, V a, V b);
static inline V vk_op_eq(vk *c, V a, V b, const VkPos *pos) {
  (void)pos;
  if (VK_IS_FIX2(a, b) || (a == b && !VK_IS_OBJ(a))) return VK_FIX(a == b);
  return vk_eq(c, a, b); /* nan is an object */
}
V vk_ne(vk *c, V a, V b);
static inline V vk_op_ne(vk *c, V a, V b, const VkPos *pos) {
  (void)pos;
  return VK_IS_FIX2(a, b) ? VK_FIX(a != b) : vk_ne(c, a, b);
}

V vk_not_slow(vk *c, V a, const VkPos *pos) VK_COLD;
static inline V vk_op_not(vk *c, V a, const VkPos *pos) {
  return VK_LIKELY(!VK_IS_ABN(a)) ? VK_FIX(VK_IS_FALSE(a)) : vk_not_slow(c, a, pos);
}

V vk_bit_and_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_bit_and(vk *c, V a, V b, const VkPos *pos) {
  return VK_LIKELY(VK_IS_FIX2(a, b)) ? a & b : vk_bit_and_slow(c, a, b, pos);
}

V vk_bit_or_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_bit_or(vk *c, V a, V b, const VkPos *pos) {
  return VK_LIKELY(VK_IS_FIX2(a, b)) ? a | b : vk_bit_or_slow(c, a, b, pos);
}

V vk_bit_xor_slow(vk *c, V a, V b, const VkPos *pos) VK_COLD;
static inline V vk_op_bit_xor(vk *c, V a, V b, const VkPos *pos) {
  return VK_LIKELY(VK_IS_FIX2(a, b)) ? a ^ b : vk_bit_xor_slow(c, a, b, pos);
}

V vk_bit_shl_slow(vk *c, V a, V n, const VkPos *pos) VK_COLD;
static inline V vk_op_bit_shl(vk *c, V a, V n, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, n) && n <= VK_FIX(60))) {
    int64_t r = (int64_t)(a << (n >> 3));
    if (VK_LIKELY(r >> (n >> 3) == (int64_t)a)) return (V)r;
  }
  return vk_bit_shl_slow(c, a, n, pos);
}

V vk_bit_shr_slow(vk *c, V a, V n, const VkPos *pos) VK_COLD;
static inline V vk_op_bit_shr(vk *c, V a, V n, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FIX2(a, n) && n <= VK_FIX(60)))
    return VK_FIX((int64_t)a >> 3 >> (n >> 3));
  return vk_bit_shr_slow(c, a, n, pos);
}
/* ---- end of numbers ---------------------------------------------------------------------- */

/* ---- lists and vectors (lists.c, vectors.c, order.c) ----------------------------------------
 * Lists: a pair is the fast case; nil, other flavours and errors go the slow way. */

V vk_head_slow(vk *c, V l, const VkPos *pos) VK_COLD;
static inline V vk_op_head(vk *c, V l, const VkPos *pos) {
  return VK_LIKELY(VK_IS_PAIR(l)) ? VK_HEAD(l) : vk_head_slow(c, l, pos);
}

V vk_tail_slow(vk *c, V l, const VkPos *pos) VK_COLD;
static inline V vk_op_tail(vk *c, V l, const VkPos *pos) {
  return VK_LIKELY(VK_IS_PAIR(l)) ? VK_TAIL(l) : vk_tail_slow(c, l, pos);
}

V vk_cons_checked_slow(vk *c, V x, V l, const VkPos *pos) VK_COLD;
static inline V vk_op_cons_checked(vk *c, V x, V l, const VkPos *pos) {
  return VK_LIKELY(VK_IS_PAIR(l) || l == VK_NIL) ? vk_cons(c, x, l)
                                                 : vk_cons_checked_slow(c, x, l, pos);
}

V vk_nil_p(vk *c, V v);
static inline V vk_op_nil_p(vk *c, V v, const VkPos *pos) {
  (void)pos;
  return VK_LIKELY(!VK_IS_OBJ(v)) ? VK_FIX(v == VK_NIL) : vk_nil_p(c, v); /* an empty block */
}

V vk_list_p(vk *c, V v);
static inline V vk_op_list_p(vk *c, V v, const VkPos *pos) {
  (void)pos;
  return !VK_IS_OBJ(v) ? VK_FIX(VK_IS_PAIR(v) || v == VK_NIL) : vk_list_p(c, v);
}

/* A walk over a range: it ends below a fixnum, so the next integer is one. */
static inline V vk_op_range_end(vk *c, V b, const VkPos *pos) {
  (void)c, (void)pos;
  return VK_IS_FIX(b) ? b : VK_FIX(0);
}
V vk_range_more_slow(vk *c, V walk, V end, const VkPos *pos) VK_COLD;
static inline V vk_op_range_more(vk *c, V walk, V end, const VkPos *pos) {
  return VK_LIKELY(VK_IS_FIX(walk)) ? VK_FIX((int64_t)walk < (int64_t)end)
                                    : vk_range_more_slow(c, walk, end, pos);
}
V vk_range_head_slow(vk *c, V walk, const VkPos *pos); /* whatever walk is */
V vk_range_next_slow(vk *c, V walk, const VkPos *pos);
static inline V vk_op_range_head(vk *c, V walk, const VkPos *pos) {
  return VK_LIKELY(VK_IS_FIX(walk)) ? walk : vk_op_head(c, walk, pos);
}
static inline V vk_op_range_next(vk *c, V walk, const VkPos *pos) {
  return VK_LIKELY(VK_IS_FIX(walk)) ? walk + VK_FIX(1) : vk_op_tail(c, walk, pos);
}

static inline V vk_op_error_p(vk *c, V v, const VkPos *pos) {
  (void)c, (void)pos;
  return VK_FIX(VK_IS_ABN(v));
}

static inline V vk_op_pair(vk *c, V x, V tail, const VkPos *pos) {
  (void)pos;
  return vk_cons(c, x, tail);
}

static inline V vk_op_set_head(vk *c, V pair, V x, const VkPos *pos) {
  (void)pos;
  vk_write(c, pair, &VK_HEAD(pair), x);
  return VK_NIL;
}

static inline V vk_op_set_tail(vk *c, V pair, V tail, const VkPos *pos) {
  (void)pos;
  vk_write(c, pair, &VK_TAIL(pair), tail);
  return VK_NIL;
}

V vk_items_slow(vk *c, V l, V who, V index, const VkPos *pos) VK_COLD;
static inline V vk_op_items(vk *c, V l, V who, V index, const VkPos *pos) {
  return VK_LIKELY(VK_IS_PAIR(l) || l == VK_NIL) ? l : vk_items_slow(c, l, who, index, pos);
}

/* The first cell of a list being built: it lives as long as the C block around. The collector sees
 * it with the rest of the stack; storing into it needs no barrier, and vk_write knows. */
#define vk_op_cell(c, pos) ((void)(c), (void)(pos), VK_FROM_PAIR((&(VkPair){VK_NIL, VK_NIL})))

#define vk_cell_in(cell) ((cell) = (VkPair){VK_NIL, VK_NIL}, VK_FROM_PAIR(&(cell)))

/* Gives nil, and once more an error if memory runs out before %unguard. */
#define vk_op_guard(c, pos)                                                                    \
  (vk_catch_set((&(VkCatch){.previous = 0}), c) ? vk_catch_landed(c, pos) : VK_NIL)

V vk_qq_cons_slow(vk *c, V x, V rest, const VkPos *pos) VK_COLD;
static inline V vk_op_qq_cons(vk *c, V x, V rest, const VkPos *pos) {
  if (VK_UNLIKELY(VK_IS_ABN(x) || VK_IS_ABN(rest))) return vk_qq_cons_slow(c, x, rest, pos);
  return vk_cons(c, x, rest);
}

V vk_fst_slow(vk *c, V l, const VkPos *pos) VK_COLD;
static inline V vk_op_fst(vk *c, V l, const VkPos *pos) {
  return VK_LIKELY(VK_IS_PAIR(l)) ? VK_HEAD(l) : vk_fst_slow(c, l, pos);
}
V vk_snd_slow(vk *c, V l, const VkPos *pos) VK_COLD;
static inline V vk_op_snd(vk *c, V l, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_PAIR(l)) && VK_LIKELY(VK_TAIL(l) != VK_NIL)) return VK_HEAD(VK_TAIL(l));
  return vk_snd_slow(c, l, pos);
}
V vk_trd_slow(vk *c, V l, const VkPos *pos) VK_COLD;
static inline V vk_op_trd(vk *c, V l, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_PAIR(l)) && VK_LIKELY(VK_TAIL(l) != VK_NIL) && VK_LIKELY(VK_TAIL(VK_TAIL(l)) != VK_NIL))
    return VK_HEAD(VK_TAIL(VK_TAIL(l)));
  return vk_trd_slow(c, l, pos);
}

/* Vectors (layout: vectors.h): one test of the header finds a vector of values, another the flat
 * ones. The index, seen as unsigned, is below the length times 8 only if it is a fixnum in range
 * once its tag is known to be 0; an empty vector need not have a store. */
#define VK_IS_INDEX(vector, i) (VK_IS_FIX(i) && (i) >> 3 < VK_VEC(vector)->len)
/* The low half of the header of a vector, and more if it must not be frozen. */
#define VK_VECTOR_OF(elements) (VK_VECTOR | (uint32_t)(elements) << 16)
#define VK_IS_VECTOR_OF(v, elements) ((uint32_t)*VK_OBJ(v) == VK_VECTOR_OF(elements))
#define VK_IS_OPEN_VECTOR_OF(v, elements)                                                      \
  ((*VK_OBJ(v) & (0xFFFFFFFFu | VK_FROZEN)) == VK_VECTOR_OF(elements))
/* Elements of a store. In one of values a fixnum is its index times the size of an element. */
#define VK_ITEM(store, i) ((V *)(uintptr_t)((store) + (offsetof(VkStore, items) - VK_TAG_OBJ + (i))))
#define VK_BYTE_ITEMS(store) ((int8_t *)VK_ITEM(store, 0))
#define VK_FLOAT_ITEMS(store) ((double *)VK_ITEM(store, 0))
#define VK_IS_BYTE(v) (!(((v) + VK_FIX(128)) & ~VK_FIX(255))) /* a fixnum from -128 to 127 */

V vk_vec_get_slow(vk *c, V vector, V i, const VkPos *pos) VK_COLD;
static inline V vk_flat_get(vk *c, V vector, V i, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_KIND(vector, VK_VECTOR) && VK_IS_INDEX(vector, i))) {
    V store = VK_VEC(vector)->store;
    if (VK_IS_VECTOR_OF(vector, VK_BYTES)) return VK_FIX(VK_BYTE_ITEMS(store)[i >> 3]);
    return vk_from_double(c, VK_FLOAT_ITEMS(store)[i >> 3]);
  }
  return vk_vec_get_slow(c, vector, i, pos);
}
static inline V vk_op_vec_get(vk *c, V vector, V i, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_OBJ(vector) && VK_IS_VECTOR_OF(vector, VK_VALUES) && VK_IS_INDEX(vector, i)))
    return *VK_ITEM(VK_VEC(vector)->store, i);
  return vk_flat_get(c, vector, i, pos);
}

V vk_vec_set_slow(vk *c, V vector, V i, V item, const VkPos *pos) VK_COLD;
static inline V vk_flat_set(vk *c, V vector, V i, V item, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_KIND(vector, VK_VECTOR) && VK_IS_INDEX(vector, i))) {
    V store = VK_VEC(vector)->store;
    if (VK_IS_BYTE(item) && VK_IS_OPEN_VECTOR_OF(vector, VK_BYTES)) {
      VK_BYTE_ITEMS(store)[i >> 3] = (int8_t)(item >> 3);
      return VK_NIL;
    }
    if (VK_IS_FLOAT(item) && VK_IS_OPEN_VECTOR_OF(vector, VK_FLOATS)) {
      VK_FLOAT_ITEMS(store)[i >> 3] = vk_double(item);
      return VK_NIL;
    }
  }
  return vk_vec_set_slow(c, vector, i, item, pos);
}
static inline V vk_op_vec_set(vk *c, V vector, V i, V item, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_OBJ(vector) && VK_IS_OPEN_VECTOR_OF(vector, VK_VALUES) &&
                VK_IS_INDEX(vector, i))) {
    V store = VK_VEC(vector)->store;
    vk_write(c, store, VK_ITEM(store, i), item);
    return VK_NIL;
  }
  return vk_flat_set(c, vector, i, item, pos);
}

V vk_vec_push_slow(vk *c, V vector, V item, const VkPos *pos); /* flat, or no room: not rare */
static inline V vk_op_vec_push(vk *c, V vector, V item, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_OBJ(vector) && VK_IS_OPEN_VECTOR_OF(vector, VK_VALUES))) {
    VkVector *v = VK_VEC(vector);
    if (VK_LIKELY(v->len < VK_STOREP(v->store)->capacity)) {
      vk_write(c, v->store, VK_ITEM(v->store, VK_FIX(v->len)), item);
      v->len++;
      return VK_NIL;
    }
  }
  return vk_vec_push_slow(c, vector, item, pos);
}

V vk_vec_pop_slow(vk *c, V vector, const VkPos *pos); /* flat: not rare */
static inline V vk_op_vec_pop(vk *c, V vector, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_OBJ(vector) && VK_IS_OPEN_VECTOR_OF(vector, VK_VALUES)) && VK_VEC(vector)->len > 0) {
    VkVector *v = VK_VEC(vector);
    V *last = VK_ITEM(v->store, VK_FIX(v->len - 1)), item = *last;
    v->len--;
    vk_write(c, v->store, last, VK_NIL);
    return item;
  }
  return vk_vec_pop_slow(c, vector, pos);
}

V vk_vec_len_slow(vk *c, V vector, const VkPos *pos) VK_COLD;
static inline V vk_op_vec_len(vk *c, V vector, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_KIND(vector, VK_VECTOR))) return VK_FIX(VK_VEC(vector)->len);
  return vk_vec_len_slow(c, vector, pos);
}
/* ---- end of lists and vectors ------------------------------------------------------------ */

/* ---- strings (strings.c, lists.c) --------------------------------------------------------- */

V vk_len_slow(vk *c, V v, const VkPos *pos); /* lists: not rare */
static inline V vk_op_len(vk *c, V v, const VkPos *pos) {
  return VK_IS_KIND(v, VK_STRING) ? VK_FIX(VK_STR(v)->len) : vk_len_slow(c, v, pos);
}

V vk_str_byte_slow(vk *c, V s, V i, const VkPos *pos) VK_COLD;
static inline V vk_op_str_byte(vk *c, V s, V i, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_KIND(s, VK_STRING) && VK_IS_FIX(i) && i >> 3 < VK_STR(s)->len))
    return VK_FIX((unsigned char)VK_STR(s)->bytes[i >> 3]);
  return vk_str_byte_slow(c, s, i, pos);
}
#endif
