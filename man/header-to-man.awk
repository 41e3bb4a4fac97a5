# SPDX-License-Identifier: LGPL-2.1-or-later
#
# header-to-man.awk - liblayerbox(3) out of layerbox.h, so that the manual cannot say anything but the header.
#
#     awk -v version=0.1.0 -v date='November 21, 2026' -f header-to-man.awk layerbox.h > liblayerbox.3
#
# What it knows of the header is how it is written:
#   - the first comment with two stars is about the whole; its lines in capitals are headings;
#   - a comment of dashes and a word begins a section;
#   - a comment with two stars is about the declaration that follows: `name - what it does`, then lines
#     `@parameter: ...`, then paragraphs;
#   - a member of a struct or enum has its remark behind it.

# ---------------------------------------------------------------------------------------------- text as mdoc(7)

function escaped(text)
{
	gsub(/\\/, "\\e", text)
	text = gensub_parameters(text)
	if (text ~ /^[.']/)
		text = "\\&" text
	return text
}

# @name, as the header writes of a parameter, in italics.
function gensub_parameters(text,   result)
{
	result = ""
	while (match(text, /@[a-z_]+/)) {
		result = result substr(text, 1, RSTART - 1) "\\fI" substr(text, RSTART + 1, RLENGTH - 1) "\\fP"
		text = substr(text, RSTART + RLENGTH)
	}
	return result text
}

# Prints words in lines of at most 78 characters.
function print_words(text,   words, count, line, i)
{
	count = split(text, words, " ")
	line = ""
	for (i = 1; i <= count; i++) {
		if (line != "" && length(line) + 1 + length(words[i]) > 76) {
			print escaped(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") words[i]
	}
	if (line != "")
		print escaped(line)
}

# ------------------------------------------------------------------------------------------------------ comments

# Prints a comment's lines, from @first on, as paragraphs and a list of parameters.
function print_comment(lines, count, first,   i, line, paragraph, in_list)
{
	paragraph = ""
	in_list = 0
	for (i = first; i <= count; i++) {
		line = lines[i]
		if (line ~ /^[A-Z][A-Z ]+$/) {
			flush_paragraph(paragraph)
			paragraph = ""
			print ".Ss " line
		} else if (line == "") {
			flush_paragraph(paragraph)
			paragraph = ""
			if (in_list)
				print ".El"
			in_list = 0
			if (i < count && lines[i + 1] !~ /^@/ && lines[i + 1] !~ /^[A-Z][A-Z ]+$/)
				print ".Pp"
		} else if (line ~ /^@[a-z_]+:/) {
			flush_paragraph(paragraph)
			if (!in_list)
				print ".Bl -tag -width Ds -compact"
			in_list = 1
			print ".It Fa " substr(line, 2, index(line, ":") - 2)
			paragraph = substr(line, index(line, ":") + 1)
		} else {
			paragraph = paragraph " " line
		}
	}
	flush_paragraph(paragraph)
	if (in_list)
		print ".El"
}

function flush_paragraph(paragraph)
{
	if (paragraph != "")
		print_words(paragraph)
}

# -------------------------------------------------------------------------------------------------- declarations

# A prototype in lines that fit a terminal, broken behind commas.
function print_prototype(code,   parts, count, line, i)
{
	gsub(/[ \t\n]+/, " ", code)
	count = split(code, parts, /, /)
	line = parts[1]
	for (i = 2; i <= count; i++) {
		if (length(line) + length(parts[i]) + 3 > 72) {
			print line ","
			line = "    " parts[i]
		} else {
			line = line ", " parts[i]
		}
	}
	print line
}

# A struct or enum without its remarks, which become a list behind it.
function print_members(code,   lines, count, i, line, remark, names, remarks, found)
{
	count = split(code, lines, "\n")
	found = 0
	for (i = 1; i <= count; i++) {
		line = lines[i]
		if (match(line, / +\/\* .* \*\/$/)) {
			remark = substr(line, RSTART, RLENGTH)
			gsub(/^ +\/\* | \*\/$/, "", remark)
			line = substr(line, 1, RSTART - 1)
			found++
			names[found] = member_name(line)
			remarks[found] = remark
		}
		gsub(/\t/, "    ", line)
		print line
	}
	print ".Ed"
	if (!found)
		return
	print ".Bl -tag -width Ds -offset indent -compact"
	for (i = 1; i <= found; i++) {
		print ".It " (code ~ /^enum/ ? "Dv " : "Fa ") names[i]
		print_words(remarks[i])
	}
	print ".El"
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

function print_declaration(code, lines, count,   first)
{
	print ".Bd -literal"
	if (code ~ /^(struct|enum) [a-z_]+ \{/) {
		print_members(code)
	} else {
		print_prototype(code)
		print ".Ed"
	}
	if (!count)
		return
	first = lines[1]
	sub(/^(struct |enum )?[a-z_]+ - /, "", first)
	lines[1] = toupper(substr(first, 1, 1)) substr(first, 2)
	print ".Bd -filled -offset indent"
	print_comment(lines, count, 1)
	print ".Ed"
}

# ---------------------------------------------------------------------------------------------------- the header

BEGIN {
	print ".\\\" Made from layerbox.h by header-to-man.awk; change it there."
	print ".Dd " date
	print ".Dt LIBLAYERBOX 3"
	print ".Os layerbox " version
	print ".Sh NAME"
	print ".Nm liblayerbox"
}

# A line of a comment with two stars, its decoration taken off.
in_comment || /^\/\*\*/ {
	line = $0
	ends = line ~ /\*\/$/
	sub(/^\/\*\* ?| ?\*\/$/, "", line)
	sub(/^ \*\/$/, "", line)
	sub(/^ \* ?/, "", line)
	sub(/ *\*\/$/, "", line)
	if (!in_comment)
		comment_count = 0
	if (line != "" || (comment_count && !ends))
		comment[++comment_count] = line
	in_comment = !ends
	if (ends && !has_title)
		print_title()
	next
}

function print_title()
{
	has_title = 1
	sub(/^[a-z.]+ - /, "", comment[1])
	print ".Nd " comment[1]
	print ".Sh LIBRARY"
	print "liblayerbox (liblayerbox, \\-llayerbox)"
	print ".Sh SYNOPSIS"
	print ".In layerbox.h"
	print ".Pp"
	print ".Dl cc program.c $(pkg-config --cflags --libs layerbox)"
	print ".Sh DESCRIPTION"
	print_comment(comment, comment_count, 3)
	comment_count = 0
}

/^\/\* -+ .* \*\/$/ {
	section = $0
	gsub(/^\/\* -+ | \*\/$/, "", section)
	print ".Ss " toupper(section)
	next
}

# A declaration, which may have several lines; what only guides the compiler is passed over.
!has_title || /^#(if|endif|include|ifndef|define LAYERBOX_H)/ || /^extern "C"/ || (/^}$/ && code == "") || /^$/ && code == "" {
	next
}

{
	code = code (code == "" ? "" : "\n") $0
	if (/^#define/ || (/;$/ && (code !~ /\{/ || /^}/))) {
		print_declaration(code, comment, comment_count)
		code = ""
		comment_count = 0
	}
}

END {
	print ".Sh SEE ALSO"
	print ".Xr layerbox.conf 5 ,"
	print ".Xr layerbox 8"
}
