# Language level, warnings, sanitizers: one interface target, 'tarn_flags', that every part links.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo or MinSizeRel" FORCE)
endif()

if(NOT CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
  message(FATAL_ERROR "tarn is built with gcc or clang; this compiler is ${CMAKE_C_COMPILER_ID}")
endif()

add_library(tarn_flags INTERFACE)

# -Wsign-conversion is left out: mixing size_t with int counts is checked by -Wconversion where
# bits can get lost, and casts for the rest would hide more than they show.
set(tarn_warnings
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Wundef -Wpointer-arith
  -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough)
set(tarn_c_warnings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition)
target_compile_options(tarn_flags INTERFACE
  ${tarn_warnings} "$<$<COMPILE_LANGUAGE:C>:${tarn_c_warnings}>" $<$<BOOL:${TARN_WERROR}>:-Werror>)
target_compile_definitions(tarn_flags INTERFACE $<$<CONFIG:Debug>:TARN_DEBUG>)

# A shared library with undefined symbols is refused, except under sanitizers: their runtime comes
# with the program.
set(TARN_NO_UNDEFINED -Wl,--no-undefined)
if(APPLE)
  set(TARN_NO_UNDEFINED "")
endif()
if(TARN_SANITIZE)
  message(STATUS "sanitizers: ${TARN_SANITIZE}")
  set(TARN_NO_UNDEFINED "")
  target_compile_options(tarn_flags INTERFACE
    -fsanitize=${TARN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tarn_flags INTERFACE -fsanitize=${TARN_SANITIZE})
endif()
if(TARN_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "TARN_FUZZ needs libFuzzer, which is clang's: cmake --preset fuzz")
  endif()
  target_compile_options(tarn_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TARN_COVERAGE)
  # Counters are atomic: some tests have threads, and lost counts make others negative.
  target_compile_options(tarn_flags INTERFACE --coverage -fprofile-update=atomic -O0)
  target_link_options(tarn_flags INTERFACE --coverage)
  target_compile_definitions(tarn_flags INTERFACE TARN_COVERAGE)
endif()
