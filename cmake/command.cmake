# The command and the parts it is made of.
#
# Every part is a static library, and the program is the objects of 'tarn_cli', so that tests can
# link any function of the command too.

enable_language(CXX)
find_package(ZLIB REQUIRED)
find_package(simdjson REQUIRED)

# tarn_part(NAME SOURCES...): a static library that sees tarn.h, src/ and the parts below it. A
# folder without sources makes an empty part.
function(tarn_part name)
  if(ARGN)
    add_library(${name} STATIC ${ARGN})
    target_include_directories(${name} PRIVATE src ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE tarn_flags PUBLIC libtarn_static)
  else()
    add_library(${name} INTERFACE)
  endif()
endfunction()

file(GLOB stream_sources CONFIGURE_DEPENDS src/stream/*.c)
tarn_part(tarn_stream ${stream_sources})

file(GLOB io_sources CONFIGURE_DEPENDS src/io/*.c src/io/*.cpp)
tarn_part(tarn_io ${io_sources})
if(io_sources)
  target_link_libraries(tarn_io PUBLIC simdjson::simdjson ZLIB::ZLIB)
endif()

file(GLOB cli_sources CONFIGURE_DEPENDS cli/*.c)
file(GLOB bench_sources CONFIGURE_DEPENDS bench/*.c bench/*.cpp)
include(cmake/rivals.cmake)

if(cli_sources)
  tarn_part(tarn_cli ${cli_sources} ${bench_sources} ${rival_sources})
  target_link_libraries(tarn_cli PUBLIC tarn_stream tarn_io PRIVATE ${rival_libraries})
  target_include_directories(tarn_cli PRIVATE bench)
  target_compile_definitions(tarn_cli PRIVATE ${rival_definitions})
  add_executable(tarn $<TARGET_OBJECTS:tarn_cli>)
  set_target_properties(tarn PROPERTIES
    LINKER_LANGUAGE CXX RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  target_link_libraries(tarn PRIVATE tarn_flags tarn_stream tarn_io ${rival_libraries})
else()
  tarn_part(tarn_cli)
endif()
