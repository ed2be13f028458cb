# Makefile - everything a person types.
#
#   make            build/valkc and the runtime archive
#   make demo       install what is missing, build, and count the words of a licence text
#   make demo-server   the same, and run a server with a certificate made for it
#   make check      install what the tests need, build, run every test; last line "N passed, N failed"
#   make tsan       unit tests of what threads share, under ThreadSanitizer
#   make bench      kernels in Valk against the same in C, and ten of them in what other systems are installed
#   make fuzz       reader and front end under AFL++ (FUZZ_SECONDS=600)
#   make random     random programs, run in several ways that must agree (COUNT=1000 SEED=1 WAYS=run,eval)
#   make format     clang-format over the tree         make docs       generated reference pages
#   make promote T=name   take what a golden test does now as what it should do
#   make targets    runtimes for --target and --libc=musl (TARGETS=...), and valkc for ARM64
#   make check-arm64      every golden test for ARM64, under qemu
#   make install PREFIX=/usr/local DESTDIR=            make uninstall  make clean

CC = gcc
AR = ar
PREFIX = /usr/local
DESTDIR =
BUILD = build
# Tests at once; modes of the golden tests.
JOBS := $(shell nproc 2>/dev/null || echo 1)
MODES = aot,run,O0,asan,skip

WARNINGS = -Wall -Wextra
# Doubles and characters are the same on every machine.
SAME = -ffp-contract=off -fsigned-char
COMMON = -std=gnu11 -D_GNU_SOURCE= $(WARNINGS) $(SAME) $(TARGET_FLAGS) -MD -MP
# Values are read through several types, in the runtime as in generated code.
RT_FLAGS = -fno-strict-aliasing -fno-math-errno
# What only the runtime's own C is to see of its headers (rt/alloc.h).
RT_OWN = -DVK_RUNTIME=
RELEASE = -O2 -fPIE -ffunction-sections -fdata-sections
# Functions of the runtime with arrays on the stack check it: costs 1 %, 2 in bench/kernels/json.
SSP = -fstack-protector-strong
RT_RELEASE = $(RELEASE) -fno-plt $(SSP)
ASAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DVK_DEBUG
# What libnet.a stands on; the archives of the distribution, so that nothing is loaded at start. Where
# they are not as usual, tools/net-archives makes them.
NET_LIBS = -l:libuv_a.a -l:libnghttp2.a -l:libssl.a -l:libcrypto.a
EDITLINE = -l:libedit.a -l:libtinfo.a -l:libbsd.a -l:libmd.a
TSAN = -O1 -g -fsanitize=thread -fno-omit-frame-pointer
# As the executables it makes: any Linux runs it, nothing is writable that need not be, and it starts a tenth
# sooner. `make STATIC=` links it with the system's C library.
STATIC = -static-pie -Wl,-z,relro,-z,now,-z,noexecstack $(if $(filter x86_64%,$(or $(TARGET),$(NATIVE))),$(PACKED))
PACKED = -Wl,-z,pack-relative-relocs
# GNU ld warns of what would load modules of the C library, which we do not use (net/loop.c); the rest is shown.
without_nss_warnings = { $(1) 2>$@.log || { cat $@.log >&2; rm -f $@.log; false; }; } && \
  { sed '/: in function /{N;/in statically linked applications requires/d}' $@.log >&2; rm -f $@.log; }
LIBS = $(BUILD)/libtcc.a -L$(BUILD) $(NET_LIBS) -l:libtommath.a $(EDITLINE) -lm
OBJCOPY = objcopy
HOSTCC = $(CC)
LIBTCC = $$($(CC) -print-file-name=libtcc.a)

# TARGET is set when `make targets` builds for another one, in $(BUILD)/$(TARGET).
NATIVE := $(shell uname -m)-linux
TARGETS = $(filter-out $(NATIVE),x86_64-linux aarch64-linux) $(NATIVE)-musl
machine = $(patsubst %-linux,%,$(1:%-musl=%))
# tool TARGET, NAME: gcc for this machine, aarch64-linux-gnu-gcc for another
tool = $(if $(filter $(NATIVE),$(1:%-musl=%)),$(2),$(call machine,$(1))-linux-gnu-$(2))
ifdef TARGET
TARGET_FLAGS := $(if $(filter %-musl,$(TARGET)),-nostdinc) -isystem $(BUILD)/include \
  $(if $(filter %-musl,$(TARGET)),-isystem $(shell $(CC) -print-file-name=include))
LIBTCC = $(BUILD)/libtcc-all.a
LIBS = $(BUILD)/libtcc.a -L$(BUILD) $(NET_LIBS) $(EDITLINE) -ltommath -lm
endif

LANG_SRC := $(wildcard lang/*.c)
VALKC_SRC := $(wildcard valkc/*.c)
# rt/text_end.S is the first of its archives, and says why.
RT_SRC := rt/text_end.S $(wildcard rt/*.c) $(filter-out rt/text_end.S,$(wildcard rt/*.S))
NET_SRC := $(wildcard net/*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)

# objects DIRECTORY, SOURCES
objects = $(addsuffix .o,$(basename $(addprefix $(1)/,$(2))))
LANG_OBJ := $(call objects,$(BUILD)/obj,$(LANG_SRC))
VALKC_OBJ := $(call objects,$(BUILD)/obj,$(filter-out valkc/main.c,$(VALKC_SRC)))
# The runtime's `read` and `eval` are the compiler's front end; programs without them link none of it.
FRONT_SRC := $(LANG_SRC)
RT_OBJ := $(call objects,$(BUILD)/obj,$(RT_SRC))
NET_OBJ := $(call objects,$(BUILD)/obj,$(NET_SRC))
STD_TEXT_OBJ := $(BUILD)/obj/library_texts.o
FRONT_OBJ := $(call objects,$(BUILD)/obj,$(FRONT_SRC)) $(STD_TEXT_OBJ)
ASAN_FRONT_OBJ := $(call objects,$(BUILD)/asan/obj,$(FRONT_SRC)) $(STD_TEXT_OBJ)
ASAN_LANG_OBJ := $(call objects,$(BUILD)/asan/obj,$(LANG_SRC))
ASAN_VALKC_OBJ := $(call objects,$(BUILD)/asan/obj,$(filter-out valkc/main.c,$(VALKC_SRC)))
ASAN_RT_OBJ := $(call objects,$(BUILD)/asan/obj,$(RT_SRC))
ASAN_NET_OBJ := $(call objects,$(BUILD)/asan/obj,$(NET_SRC))
TSAN_RT_OBJ := $(call objects,$(BUILD)/tsan/obj,$(RT_SRC))
TSAN_FRONT_OBJ := $(call objects,$(BUILD)/tsan/obj,$(FRONT_SRC)) $(STD_TEXT_OBJ)
TSAN_NET_OBJ := $(call objects,$(BUILD)/tsan/obj,$(NET_SRC))
MAIN_OBJ := $(BUILD)/obj/valkc/main.o $(BUILD)/asan/obj/valkc/main.o
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
# What threads share has unit tests of its own.
TSAN_UNITS := $(addprefix $(BUILD)/tsan/unit/,symbols_test slab_test parcel_test fiber_test channel_test)
ASAN_UNITS := $(patsubst tests/unit/%.c,$(BUILD)/asan/unit/%,$(UNIT_SRC))
QUICK_OBJ := $(BUILD)/obj/quick_table.o
ASAN_QUICK_OBJ := $(BUILD)/asan/obj/quick_table.o
ALL_OBJ := $(LANG_OBJ) $(VALKC_OBJ) $(RT_OBJ) $(NET_OBJ) $(ASAN_NET_OBJ) $(TSAN_RT_OBJ) $(TSAN_FRONT_OBJ) $(TSAN_NET_OBJ) $(ASAN_LANG_OBJ) $(ASAN_VALKC_OBJ) $(ASAN_RT_OBJ) \
           $(MAIN_OBJ) $(UNITS:=.o) $(ASAN_UNITS:=.o) $(TSAN_UNITS:=.o)

all: $(BUILD)/valkc $(BUILD)/librt.a $(BUILD)/libnet.a $(BUILD)/prelinked

# One short line per step; `make V=1` shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)  $(2)")

# ---- building ---------------------------------------------------------------------------------

$(BUILD)/valkc: $(BUILD)/obj/valkc/main.o $(BUILD)/libvalkc.a $(BUILD)/libnet.a $(BUILD)/liblang.a $(BUILD)/librt.a \
                | $(BUILD)/libtcc.a
	$(call say,LD,$@)
	$(Q)$(call without_nss_warnings,$(CC) $(STATIC) $(LDFLAGS) -o $@ $^ $(LIBS))
$(BUILD)/libvalkc.a: $(VALKC_OBJ) $(QUICK_OBJ)
$(BUILD)/liblang.a: $(LANG_OBJ)
$(BUILD)/librt.a: $(RT_OBJ) $(FRONT_OBJ)
$(BUILD)/libnet.a: $(BUILD)/obj/rt/text_end.o $(NET_OBJ)
$(BUILD)/libnet.a $(BUILD)/asan/libnet.a $(BUILD)/tsan/libnet.a: | $(BUILD)/net-archives
# For another machine tools/sysroot has them.
$(BUILD)/net-archives: $(BUILD)/flags tools/net-archives
	$(Q)$(if $(TARGET),,tools/net-archives $(BUILD) '$(CC) -print-file-name=' $(AR) &&) touch $@

# The runtime and its libraries as objects for programs of some length.
$(BUILD)/prelinked: $(BUILD)/valkc $(BUILD)/librt.a $(BUILD)/libnet.a tools/prelink tools/prelink.valk tools/prelink-net.valk
	$(call say,LINK,$@)
	$(Q)tools/prelink $(BUILD) $(CC)

asan: $(BUILD)/asan/valkc $(BUILD)/asan/librt.a $(BUILD)/asan/libnet.a
$(BUILD)/asan/valkc: $(BUILD)/asan/obj/valkc/main.o $(BUILD)/asan/libvalkc.a \
                     $(BUILD)/asan/libnet.a $(BUILD)/asan/liblang.a $(BUILD)/asan/librt.a \
                     | $(BUILD)/libtcc.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/asan/libvalkc.a: $(ASAN_VALKC_OBJ) $(ASAN_QUICK_OBJ)
$(BUILD)/asan/liblang.a: $(ASAN_LANG_OBJ)
$(BUILD)/asan/librt.a: $(ASAN_RT_OBJ) $(ASAN_FRONT_OBJ)
$(BUILD)/asan/libnet.a: $(BUILD)/asan/obj/rt/text_end.o $(ASAN_NET_OBJ)

# Without address randomisation: the checker wants its own.
tsan: $(BUILD)/tsan/librt.a $(BUILD)/tsan/libnet.a $(TSAN_UNITS)
	@for unit in $(TSAN_UNITS); do TSAN_OPTIONS=exitcode=66 setarch -R $$unit || exit; done
$(BUILD)/tsan/librt.a: $(TSAN_RT_OBJ) $(TSAN_FRONT_OBJ)
$(BUILD)/tsan/libnet.a: $(BUILD)/tsan/obj/rt/text_end.o $(TSAN_NET_OBJ)

# The library as text, for `eval` at run time.
$(STD_TEXT_OBJ): tools/embed std/INDEX $(wildcard std/*.valk)
	@mkdir -p $(@D)
	$(call say,EMBED,std)
	$(Q)tools/embed std/INDEX >$(BUILD)/library_texts.S
	$(Q)$(CC) -c $(BUILD)/library_texts.S -o $@

# TinyCC for `valkc run`, with the calls renamed that valkc/quick.c makes itself.
$(BUILD)/libtcc.a: $(BUILD)/flags Makefile
	$(call say,COPY,$@)
	$(Q)$(OBJCOPY) --redefine-sym mprotect=quick_tcc_mprotect --redefine-sym exit=quick_tcc_exit \
	  --redefine-sym dlopen=quick_tcc_dlopen --redefine-sym dlclose=quick_tcc_dlclose \
	  --redefine-sym dlsym=quick_tcc_dlsym \
	  "$(LIBTCC)" $@
# The runtime's headers as a table of declarations, for C text that TinyCC compiles.
$(BUILD)/prelude: tools/prelude.c tools/prelude_macro.c tools/prelude_macro.h valkc/quick_prelude.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOSTCC) -O1 -std=gnu11 -D_GNU_SOURCE= $(WARNINGS) -o $@ $(filter %.c,$^)
$(BUILD)/quick_table.c: $(BUILD)/prelude $(BUILD)/flags $(wildcard rt/*.h rt/*.def rt/prims/*.def)
	$(call say,GEN,$@)
	$(Q)$(CC) -E -w -dD -D__TINYC__=1 $(filter -D%,$(CFLAGS)) -iquote rt rt/vk_tcc.h >$@.i
	$(Q)$(BUILD)/prelude rt/ <$@.i >$@.tmp && mv -f $@.tmp $@
$(QUICK_OBJ) $(ASAN_QUICK_OBJ): $(BUILD)/quick_table.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) -iquote rt $(CFLAGS) -c $< -o $@
$(QUICK_OBJ): FLAGS = $(RELEASE)
$(ASAN_QUICK_OBJ): FLAGS = $(ASAN)

# An archive is made anew, so that the objects of deleted sources do not stay in it, and appears
# complete or not at all.
%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@.tmp
	$(Q)$(AR) rcs $@.tmp $^ && mv -f $@.tmp $@

$(LANG_OBJ) $(VALKC_OBJ) $(BUILD)/obj/valkc/main.o: FLAGS = $(RELEASE)
$(RT_OBJ): FLAGS = $(RT_RELEASE) $(RT_FLAGS) $(RT_OWN)
$(NET_OBJ): FLAGS = $(RT_RELEASE) $(RT_FLAGS) $(RT_OWN) -iquote rt
$(ASAN_LANG_OBJ) $(ASAN_VALKC_OBJ) $(BUILD)/asan/obj/valkc/main.o: FLAGS = $(ASAN)
$(ASAN_RT_OBJ): FLAGS = $(ASAN) $(RT_FLAGS) $(RT_OWN)
$(ASAN_NET_OBJ): FLAGS = $(ASAN) $(RT_FLAGS) $(RT_OWN) -iquote rt
$(TSAN_RT_OBJ) $(TSAN_FRONT_OBJ): FLAGS = $(TSAN) $(RT_FLAGS) $(RT_OWN)
$(TSAN_NET_OBJ): FLAGS = $(TSAN) $(RT_FLAGS) $(RT_OWN) -iquote rt
$(TSAN_UNITS:=.o): FLAGS = $(TSAN) $(RT_FLAGS) -iquote rt -iquote lang
$(UNITS:=.o): FLAGS = $(RELEASE) $(RT_FLAGS) -iquote rt -iquote lang -iquote valkc -iquote net
$(ASAN_UNITS:=.o): FLAGS = $(ASAN) $(RT_FLAGS) -iquote rt -iquote lang -iquote valkc -iquote net

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/obj/%.o: %.S $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/asan/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/asan/obj/%.o: %.S $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/tsan/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/tsan/obj/%.o: %.S $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@

# Rewritten only when the flags change; depends on the packages that building needs.
FLAG_TEXT = $(CC) $(COMMON) $(RELEASE) $(RT_RELEASE) $(RT_FLAGS) $(ASAN) $(TSAN) $(CFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@test -e $@ || test -n "$(TARGET)" || tools/deps --check build
	@echo '$(FLAG_TEXT)' | cmp -s - $@ || echo '$(FLAG_TEXT)' > $@

# ---- other targets ----------------------------------------------------------------------------

# Each in a directory of its own, by these same rules, with its own compiler and libraries.
target_make = $(MAKE) --no-print-directory BUILD=$(BUILD)/$(1) TARGET=$(1) CC=$(call tool,$(1),gcc) \
  AR=$(call tool,$(1),ar) OBJCOPY=$(call tool,$(1),objcopy) HOSTCC='$(CC)'
# valkc itself is made for other machines, with glibc.
target_results = librt.a $(if $(filter %-musl,$(1)),,libnet.a) $(if $(filter $(NATIVE) %-musl,$(1)),,valkc)

targets:
	@tools/deps $(if $(filter-out $(NATIVE)%,$(TARGETS)),targets,build)
	@$(MAKE) --no-print-directory -j$(JOBS) $(TARGETS:%=target-%)
target-%: FORCE
	@tools/sysroot $* $(BUILD)/$*
	+@$(call target_make,$*) $(addprefix $(BUILD)/$*/,$(call target_results,$*))

# ---- tests ------------------------------------------------------------------------------------

$(BUILD)/unit/%.o: tests/unit/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/asan/unit/%.o: tests/unit/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/unit/%: $(BUILD)/unit/%.o $(BUILD)/libvalkc.a $(BUILD)/libnet.a $(BUILD)/liblang.a $(BUILD)/librt.a \
                 | $(BUILD)/libtcc.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/asan/unit/%: $(BUILD)/asan/unit/%.o $(BUILD)/asan/libvalkc.a $(BUILD)/asan/libnet.a \
                      $(BUILD)/asan/liblang.a $(BUILD)/asan/librt.a | $(BUILD)/libtcc.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/tsan/unit/%.o: tests/unit/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(COMMON) $(FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/tsan/unit/%: $(BUILD)/tsan/unit/%.o $(BUILD)/tsan/librt.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TSAN) $(LDFLAGS) -o $@ $^ -l:libtommath.a -lm
.PRECIOUS: $(BUILD)/unit/%.o $(BUILD)/asan/unit/%.o $(BUILD)/tsan/unit/%.o

units: $(UNITS) $(ASAN_UNITS)

check:
	@tools/deps check
	@$(MAKE) --no-print-directory -j$(JOBS) all asan tsan units
	@$(MAKE) --no-print-directory -j$(JOBS) targets
	@JOBS=$(JOBS) MODES=$(MODES) BUILD=$(BUILD) tests/run

# Everything for ARM64: compiled programs, and TinyCC and the evaluator in valkc for ARM64.
check-arm64: all targets
	$(BUILD)/valkc test --mode=arm64,arm64-run,arm64-eval --jobs=$(JOBS) tests/golden
	$(BUILD)/valkc test --mode=arm64-stress --jobs=$(JOBS) tests/golden/gc tests/golden/calls

# Golden tests alone: make golden MODES=aot T=closures
golden: all $(if $(findstring asan,$(MODES)),asan) $(if $(findstring tsan,$(MODES)),tsan)
	$(BUILD)/valkc test --mode=$(MODES) --jobs=$(JOBS) $(if $(T),--filter=$(T)) tests/golden
promote: all
	@test -n "$(T)" || { echo "usage: make promote T=name" >&2; exit 2; }
	$(BUILD)/valkc test --promote --filter=$(T) tests

# ---- the rest ---------------------------------------------------------------------------------

deps:
	@tools/deps check

demo:
	@tools/deps build
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/demo $(BUILD)

demo-server:
	@tools/deps server
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/demo-server $(BUILD)

bench: all
	@bench/run
	@bench/peers/run.sh

COUNT = 1000
SEED = 1
WAYS = run,eval
random: all
	@tools/deps random
	@tests/random/run.py --valkc=$(BUILD)/valkc --count=$(COUNT) --seed=$(SEED) --modes=$(WAYS)

fuzz:
	@tools/deps fuzz
	@tests/fuzz/run

format:
	@tools/deps format
	@tools/format

docs: all
	@tools/docs $(BUILD)

# Quoted wherever they are used: blanks in them are allowed.
LIBDIR = $(DESTDIR)$(PREFIX)/lib/valkc
BINDIR = $(DESTDIR)$(PREFIX)/bin
SHAREDIR = $(DESTDIR)$(PREFIX)/share
INSTALLED_TARGETS = $(wildcard $(BUILD)/*-linux/librt.a $(BUILD)/*-linux-musl/librt.a)
# The libraries go along, so that building programs needs only a C compiler and libc.
install: all
	install -d "$(BINDIR)" "$(LIBDIR)/include/prims" "$(LIBDIR)/std" "$(SHAREDIR)/doc/valkc"
	install -m 755 $(BUILD)/valkc "$(BINDIR)/valkc"
	install -m 644 $(BUILD)/librt.a "$(LIBDIR)/librt.a"
	install -m 644 $(BUILD)/libnet.a "$(LIBDIR)/libnet.a"
	@for library in libtommath libuv_a libnghttp2 libssl libcrypto; do \
	  archive=$(BUILD)/$$library.a; \
	  [ -e $$archive ] || archive=$$($(CC) -print-file-name=$$library.a); \
	  install -m 644 "$$archive" "$(LIBDIR)/$$library.a" || exit; \
	done
	@if [ -s $(BUILD)/prelinked ]; then \
	  install -m 644 $(BUILD)/base.o $(BUILD)/base-net.o "$(LIBDIR)" && \
	    grep -v '/lib\(tommath\|uv_a\|nghttp2\|ssl\|crypto\)\.a$$' $(BUILD)/prelinked >"$(LIBDIR)/prelinked" && \
	    chmod 644 "$(LIBDIR)/prelinked"; \
	fi
	install -m 644 rt/*.h rt/*.def "$(LIBDIR)/include"
	install -m 644 rt/prims/*.def "$(LIBDIR)/include/prims"
	install -m 644 std/INDEX std/*.valk "$(LIBDIR)/std"
	install -m 644 tools/valk-gdb.py "$(LIBDIR)/valk-gdb.py"
	install -m 644 README.md LICENSE THIRD-PARTY.md "$(SHAREDIR)/doc/valkc"
	@for archive in $(INSTALLED_TARGETS); do \
	  from=$$(dirname "$$archive"); to="$(LIBDIR)/$$(basename "$$from")"; \
	  echo "install for $$(basename "$$from")"; \
	  install -d "$$to" && install -m 644 "$$from"/lib[!t]*.a "$$from"/libtommath.a "$$to" || exit; \
	  if [ -e "$$from/rcrt1.o" ]; then \
	    install -m 644 "$$from"/libc.a "$$from"/rcrt1.o "$$from"/crt1.o "$$to" && \
	      cp -R "$$from/include" "$$to" && chmod -R u=rwX,go=rX "$$to/include" || exit; \
	  fi; \
	done

uninstall:
	rm -f "$(BINDIR)/valkc"
	rm -rf "$(LIBDIR)" "$(SHAREDIR)/doc/valkc"

clean:
	rm -rf $(BUILD)

.PHONY: all asan tsan units targets check check-arm64 golden promote deps demo demo-server bench fuzz random format docs install uninstall \
        clean FORCE
FORCE:
-include $(ALL_OBJ:.o=.d)
