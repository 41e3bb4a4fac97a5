/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates: text with `{{variable}}` in it. Two rules make them do what is needed without a language:
 *   - a line that uses a variable whose value is empty is left out;
 *   - a line that begins with `##` is a remark of the template's and is left out.
 * A value of several lines may stand alone on its line. Every other value is one line: a control character
 * in it is refused, so no value can add a line of its own to what is rendered.
 */
#pragma once

#include <stddef.h>

struct template_variable {
	const char *name;
	const char *value;      /* NULL and "" both mean empty */
	int multi_line;         /* made by layerbox itself, may hold newlines */
};

/*
 * Renders @text with @variables, ended by a member without a name. @file is used in sentences only.
 * -EINVAL with a sentence in @error for an unknown variable, a value that is refused, or a `{{` without end.
 */
int template_render(const char *text, const char *file, const struct template_variable *variables, char **ret_text,
		    char *error, size_t error_size);
