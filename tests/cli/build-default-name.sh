# The executable is named after the file and made in the working directory.
mkdir sub
echo '(print "hello")' >sub/hello.valk
run 0 "$VALKC" build sub/hello.valk
empty out
empty err
run 0 ./hello
is out hello
[ "$(ls | grep -v "^cache$")" = "$(printf 'err\nhello\nout\nsub')" ] || fail "files were left: $(ls)"
