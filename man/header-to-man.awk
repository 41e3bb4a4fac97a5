# SPDX-License-Identifier: LGPL-2.1-or-later
#
# header-to-man.awk - liblayerbox(3) out of layerbox.h, so that the manual cannot say anything but the header.
#
#     awk -v version=0.1.0 -v date=2026-11-21 -f header-to-man.awk layerbox.h > liblayerbox.3
#
# What it knows of the header is how it is written:
#   - the first comment with two stars is about the whole; its lines in capitals are headings;
#   - a comment of dashes and a word begins a section;
#   - a comment with two stars is about the declaration that follows: `name - what it does`, then lines
#     `@parameter: ...`, then paragraphs;
#   - a member of a struct or enum has its remark behind it.

# ----------------------------------------------------------------------------------------------------------- text

# For man(7); @name, as the header writes of a parameter, is in italics.
function escaped(text,   result)
{
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	result = ""
	while (match(text, /@[a-z_]+/)) {
		result = result substr(text, 1, RSTART - 1) "\\fI" substr(text, RSTART + 1, RLENGTH - 1) "\\fR"
		text = substr(text, RSTART + RLENGTH)
	}
	result = result text
	return result ~ /^[.']/ ? "\\&" result : result
}

# Prints words in short lines; a sentence begins a new one.
function print_words(text,   words, count, line, i)
{
	count = split(text, words, " ")
	line = ""
	for (i = 1; i <= count; i++) {
		if (line != "" && (length(line) + length(words[i]) > 66 || words[i - 1] ~ /[a-z)"]\.$/)) {
			print escaped(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") words[i]
	}
	if (line != "")
		print escaped(line)
}

function is_heading(line)
{
	return line ~ /^[A-Z][A-Z ]+$/
}

# Prints a comment's lines as headings, a list of parameters, and paragraphs.
function print_comment(lines, count,   i, line, words)
{
	words = ""
	for (i = 1; i <= count; i++) {
		line = lines[i]
		if (line != "" && !is_heading(line) && line !~ /^@[a-z_]+:/) {
			words = words " " line
			continue
		}
		print_words(words)
		words = ""
		if (is_heading(line)) {
			print ".SS " line
		} else if (line == "") {
			if (i < count && !is_heading(lines[i + 1]) && !is_heading(lines[i - 1]))
				print ".PP"
		} else {
			print_tag(substr(line, 2, index(line, ":") - 2))
			words = substr(line, index(line, ":") + 1)
		}
	}
	print_words(words)
}

function print_tag(name)
{
	print ".TP"
	print ".I " name
}

# --------------------------------------------------------------------------------------------------- declarations

# A prototype in lines that fit a terminal, broken behind commas.
function print_prototype(code,   parts, count, line, i)
{
	gsub(/[ \t\n]+/, " ", code)
	count = split(code, parts, /, /)
	line = parts[1]
	for (i = 2; i <= count; i++) {
		if (length(line) + length(parts[i]) + 3 > 72) {
			print escaped(line ",")
			line = "    " parts[i]
		} else {
			line = line ", " parts[i]
		}
	}
	print escaped(line)
}

# A struct or enum without its remarks; these are left in member[] and remark[], remark_count of them.
function print_members(code,   lines, count, i, line)
{
	count = split(code, lines, "\n")
	for (i = 1; i <= count; i++) {
		line = lines[i]
		if (match(line, / +\/\* .* \*\/$/)) {
			remark[++remark_count] = substr(line, RSTART, RLENGTH)
			line = substr(line, 1, RSTART - 1)
			member[remark_count] = member_name(line)
			gsub(/^ +\/\* | \*\/$/, "", remark[remark_count])
		}
		gsub(/\t/, "    ", line)
		print escaped(line)
	}
}

# "	const char *root;" is root, "	LB_ERR_BUSY," is LB_ERR_BUSY, "	char bridge[16];" is bridge.
function member_name(line)
{
	gsub(/^\t|[;,]$|\[[^]]*\]| = [0-9a-fx]+/, "", line)
	gsub(/, /, ",", line)
	sub(/.*[ *]/, "", line)
	gsub(/,/, ", ", line)
	return line
}

function print_declaration(code, lines, count,   i)
{
	if (!after_heading)
		print ".PP"
	after_heading = 0
	print ".nf"
	remark_count = 0
	if (code ~ /^(struct|enum) [a-z_]+ \{/)
		print_members(code)
	else
		print_prototype(code)
	print ".fi"
	if (!count)
		return
	sub(/^(struct |enum )?[a-z0-9_]+ - /, "", lines[1])
	lines[1] = toupper(substr(lines[1], 1, 1)) substr(lines[1], 2)
	print ".RS 4"
	print_comment(lines, count)
	for (i = 1; i <= remark_count; i++) {
		print_tag(member[i])
		print_words(remark[i])
	}
	print ".RE"
}

# ----------------------------------------------------------------------------------------------------- the header

BEGIN {
	print ".\\\" Made from layerbox.h by header-to-man.awk; change it there."
	print ".TH LIBLAYERBOX 3 " date " \"layerbox " version "\" \"Library functions\""
	print ".ad l"
	print ".nh"
	print ".SH NAME"
}

function print_title(lines, count,   i)
{
	sub(/^[a-z.]+ - /, "", lines[1])
	print "liblayerbox \\- " lines[1]
	print ".SH SYNOPSIS"
	print ".B #include <layerbox.h>"
	print ".PP"
	print "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs layerbox)"
	print ".SH DESCRIPTION"
	for (i = 3; i <= count; i++)
		lines[i - 2] = lines[i]
	print_comment(lines, count - 2)
}

# A line of a comment with two stars, its decoration taken off.
in_comment || /^\/\*\*/ {
	line = $0
	in_comment = line !~ /\*\/$/
	is_first = line ~ /^\/\*\*/
	sub(/^(\/\*\*| \*)/, "", line)
	sub(/( \*)?\/$/, "", line)
	sub(/^ /, "", line)
	if (is_first)
		count = 0
	if (line != "" || (in_comment && count))
		lines[++count] = line
	if (!in_comment && !has_title) {
		print_title(lines, count)
		has_title = 1
		count = 0
	}
	next
}

/^\/\* -+ .* \*\/$/ {
	gsub(/^\/\* -+ | \*\/$/, "")
	print ".SH " toupper($0)
	after_heading = 1
	next
}

# What only guides the compiler.
!has_title || /^#(if|endif|include)/ || /^#define LAYERBOX_H/ || /^extern "C"/ || (code == "" && /^}?$/) {
	next
}

{
	code = code (code == "" ? "" : "\n") $0
	if (/^#define/ || (/;$/ && (code !~ /\{/ || /^}/))) {
		print_declaration(code, lines, count)
		code = ""
		count = 0
	}
}

END {
	print ".SH SEE ALSO"
	print ".BR layerbox.conf (5),"
	print ".BR layerbox (8)"
}
