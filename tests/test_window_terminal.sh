# `tarn window` on a terminal: the view below the table, progress, resizing, colour, Control-C.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
command -v python3 >/dev/null 2>&1 || skip_all "python3 is not here"
. "$SOURCE_DIR/tests/window.sh"

scene() {
    expect_eq "$(timeout 120 python3 "$SOURCE_DIR/tests/window_terminal.py" "$1" "$TARN" "$work" 2>&1)" ok
}

it "a view stands below the table while rows come; what is left is what a pipe gets"
scene view

it "Control-C: exit 130, no view, complete lines, open windows not printed"
scene interrupted

it "NO_COLOR is honoured, and a terminal that cannot be redrawn has no view"
scene plain

it "the view is never wider than the terminal, also when that was resized"
scene narrow

it "a file that grows is shown as it grows, and SIGTERM takes the view off"
scene followed

it "messages stand between table and view, and stay"
scene messages

it "with the output elsewhere a bar shows progress, and is gone at the end"
scene progress

it "where the end is not known, progress is rows and bytes"
scene piped_progress

done_testing
