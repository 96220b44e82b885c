# tests/test_*.c: a program each, linked with every part; tests/test_*.sh: scripts that print TAP;
# tests/fuzz_*.c: entry points for fuzzing, made into tests by fuzz_main.c.
# 'make tests' builds the programs, 'ctest' or tests/run runs all kinds.

enable_testing()
add_custom_target(tests)

# The system as tests want it, everything in memory, refusing and forgetting on demand; and the model.
file(GLOB support_sources CONFIGURE_DEPENDS src/os/simulated*.c tests/model/*.c)
tarn_part(tarn_test_support ${support_sources} tests/model.c tests/crash.c tests/crash_wide.c)
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

# Functions in the place of the C library's, so that they can fail: by the names that glibc's headers make of
# them with offsets of 64 bits.
include(CheckSymbolExists)
check_symbol_exists(__GLIBC__ features.h TARN_HAS_GLIBC)
if(TARN_HAS_GLIBC AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  target_compile_definitions(test_os_failing PRIVATE TARN_TEST_WRAP)
  foreach(function fcntl64 fdopendir flock fstat64 fsync fdatasync ftruncate64 getrlimit64 mmap64 mmap
      open64 openat64 pread64 pwrite64 read readdir64 renameat unlinkat getrandom madvise mprotect)
    target_link_options(test_os_failing PRIVATE LINKER:--wrap=${function})
  endforeach()
endif()

# Run by test_instructions.sh.
add_executable(instructions EXCLUDE_FROM_ALL tests/instructions.c)
set_target_properties(instructions PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(instructions PRIVATE tarn_flags libtarn_static)
add_dependencies(tests instructions)

# The model for hours: scripts/prove.
tarn_test(prove_engine tests/prove_engine.c)
tarn_test(prove_crash tests/prove_crash.c)

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
  BUILD_TYPE=${CMAKE_BUILD_TYPE} CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER} "TARN_BUILD_FLAGS=${build_flags}"
  ${sanitizer_options})
if(all_tests)
  set_tests_properties(${all_tests} PROPERTIES ENVIRONMENT "${test_environment}" TIMEOUT 600)
endif()

# The same for tests/run, which does not go through ctest.
list(JOIN test_environment "\n" test_environment_lines)
file(WRITE ${PROJECT_BINARY_DIR}/tests/environment "${test_environment_lines}\n")
