# tests/test_*.c: a program each, linked with every part; tests/test_*.sh: scripts that print TAP;
# tests/fuzz_*.c: entry points for fuzzing, made into tests by fuzz_main.c.
# 'make tests' builds the programs, 'ctest' or tests/run runs all kinds.

enable_testing()
add_custom_target(tests)

# The system as tests want it, everything in memory, refusing and forgetting on demand; and the model.
file(GLOB support_sources CONFIGURE_DEPENDS src/os/simulated*.c tests/model/*.c)
tarn_part(tarn_test_support ${support_sources} tests/model.c tests/crash.c)
target_include_directories(tarn_test_support PRIVATE tests ${PROJECT_BINARY_DIR}/tests/generated)
include(cmake/calls.cmake)

# tarn_test(NAME SOURCES...): a program in tests/ of the build, linked with every part.
function(tarn_test name)
  add_executable(${name} EXCLUDE_FROM_ALL ${ARGN})
  set_target_properties(${name} PROPERTIES
    LINKER_LANGUAGE CXX RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE
    src tests ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/tests/generated)
  target_link_libraries(${name} PRIVATE
    tarn_flags tarn_cli tarn_stream tarn_io tarn_test_support libtarn_static)
endfunction()

file(GLOB fuzz_sources CONFIGURE_DEPENDS tests/fuzz_*.c)
list(FILTER fuzz_sources EXCLUDE REGEX "/fuzz_main\\.c$")
if(TARN_FUZZ)
  # Programs of libFuzzer; the tests are another build's.
  add_custom_target(fuzzers)
  foreach(source ${fuzz_sources})
    get_filename_component(name ${source} NAME_WE)
    tarn_test(${name} ${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
  endforeach()
  return()
endif()

file(GLOB test_sources CONFIGURE_DEPENDS tests/test_*.c tests/test_*.cpp)
foreach(source ${test_sources} ${fuzz_sources})
  get_filename_component(name ${source} NAME_WE)
  if(name MATCHES "^fuzz_")
    list(APPEND source ${PROJECT_SOURCE_DIR}/tests/fuzz_main.c)
  endif()
  tarn_test(${name} ${source})
  if(name STREQUAL fuzz_model) # a program is dearer than a text
    target_compile_definitions(${name} PRIVATE FUZZ_MUTATIONS=300)
  endif()
  add_dependencies(tests ${name})
  add_test(NAME ${name} COMMAND ${name})
endforeach()

# The model for hours: scripts/prove.
tarn_test(prove_engine tests/prove_engine.c)

file(GLOB test_scripts CONFIGURE_DEPENDS tests/test_*.sh)
foreach(script ${test_scripts})
  get_filename_component(name ${script} NAME)
  add_test(NAME ${name} COMMAND sh ${script})
endforeach()

get_property(all_tests DIRECTORY PROPERTY TESTS)
# Flags that whoever links the libraries by hand must repeat.
set(build_flags)
set(sanitizer_options)
if(TARN_SANITIZE)
  list(APPEND build_flags -fsanitize=${TARN_SANITIZE})
  set(sanitizer_options
    ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1
    UBSAN_OPTIONS=print_stacktrace=1)
endif()
if(TARN_COVERAGE)
  list(APPEND build_flags --coverage)
endif()
set(test_environment
  SOURCE_DIR=${PROJECT_SOURCE_DIR} BUILD_DIR=${PROJECT_BINARY_DIR} TARN=${PROJECT_BINARY_DIR}/tarn
  CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER} "TARN_BUILD_FLAGS=${build_flags}"
  ${sanitizer_options})
if(all_tests)
  set_tests_properties(${all_tests} PROPERTIES ENVIRONMENT "${test_environment}" TIMEOUT 600)
endif()

# The same for tests/run, which does not go through ctest.
list(JOIN test_environment "\n" test_environment_lines)
file(WRITE ${PROJECT_BINARY_DIR}/tests/environment "${test_environment_lines}\n")
