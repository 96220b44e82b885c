# tests/generated/calls.h in the build: every function of tarn.h, as a macro that counts its calls. Made from
# the header, so that no function can be forgotten.
#
#     #define tarn_put(...) (call_count(CALL_tarn_put), (tarn_put)(__VA_ARGS__))

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS include/tarn.h)
file(READ include/tarn.h header)
string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" "" header "${header}")
string(REGEX MATCHALL "\nTARN_API [^(]*" declarations "${header}")
set(call_enum "")
set(call_names "")
set(call_macros "")
foreach(declaration ${declarations})
  string(REGEX MATCH "[a-z0-9_]+$" name "${declaration}")
  string(APPEND call_enum "    CALL_${name},\n")
  string(APPEND call_names "    \"${name}\",\n")
  string(APPEND call_macros
    "#define ${name}(...) (call_count(CALL_${name}), (${name})(__VA_ARGS__))\n")
endforeach()
configure_file(tests/calls.h.in tests/generated/calls.h @ONLY)
