# A static program looks names up by itself: it loads none of the modules that nsswitch.conf names,
# which crash static programs. Here one ends whoever loads it; a plain C program shows that it works.
unshare -rm true 2>/dev/null || exit 0 # no private mounts here
cat >module.c <<'END'
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) { _exit(99); }
END
gcc -shared -fPIC module.c -o libnss_hostile.so.2
cat >plain.c <<'END'
#include <netdb.h>
#include <stddef.h>
int main(void) {
  struct addrinfo *a;
  return getaddrinfo("name.invalid", "80", NULL, &a) == 0;
}
END
gcc -static plain.c -o plain 2>/dev/null
cat >names.valk <<'END'
(fun {look-up i} {error? (await (http2/connect (str "name-" i ".invalid") 80))})
(= {all} (map (\ {i} {spawn (look-up i)}) (range 1 9)))
(print (map await all))
END
"$VALKC" build names.valk -o names
echo "hosts: hostile files" >nsswitch.conf
echo "services: hostile files" >>nsswitch.conf
hostile() {
  unshare -rm sh -c 'mount --bind "$PWD/nsswitch.conf" /etc/nsswitch.conf && LD_LIBRARY_PATH=$PWD exec "$@"' sh "$@"
}
run 99 hostile ./plain
run 0 hostile timeout 60 ./names
has out "{1 1 1 1 1 1 1 1}"
run 0 hostile timeout 60 "$VALKC" run names.valk
has out "{1 1 1 1 1 1 1 1}"

# localhost needs no /etc/hosts.
cat >local.valk <<'END'
(print (error? (http2/listen "localhost" 0 (\ {r} {"x"}))))
(exit 0)
END
"$VALKC" build local.valk -o local
run 0 unshare -rm sh -c 'mount -t tmpfs none /etc && exec ./local'
is out 0
