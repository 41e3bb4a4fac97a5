/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template.h"

#include <ctype.h>

#include "text.h"

static const struct template_variable *find(const struct template_variable *variables, const char *name, size_t length)
{
	for (; variables->name; variables++)
		if (strlen(variables->name) == length && memcmp(variables->name, name, length) == 0)
			return variables;
	return NULL;
}

static bool is_one_line(const char *value)
{
	for (; *value; value++)
		if (iscntrl((unsigned char)*value))
			return false;
	return true;
}

/* Renders the line [@line, @end); returns NULL or what is wrong with it. *ret_empty: a variable was empty. */
static const char *render_line(struct buffer *out, const char *line, const char *end,
			       const struct template_variable *variables, bool *ret_empty)
{
	*ret_empty = false;
	while (line < end) {
		const char *open = memmem(line, (size_t)(end - line), "{{", 2), *close, *name;
		const struct template_variable *variable;

		if (!open)
			break;
		buffer_add(out, line, (size_t)(open - line));
		name = open + 2;
		close = memmem(name, (size_t)(end - name), "}}", 2);
		if (!close)
			return "a {{ without its }}";
		line = close + 2;
		while (name < close && *name == ' ')
			name++;
		while (close > name && close[-1] == ' ')
			close--;
		variable = find(variables, name, (size_t)(close - name));
		if (!variable)
			return "a variable that does not exist";
		if (text_empty(variable->value)) {
			*ret_empty = true; /* the rest of the line must be right all the same */
			continue;
		}
		if (!variable->multi_line && !is_one_line(variable->value))
			return "a value with a control character in it";
		buffer_add_text(out, variable->value);
	}
	buffer_add(out, line, (size_t)(end - line));
	return NULL;
}

int template_render(const char *text, const char *file, const struct template_variable *variables, char **ret_text,
		    char *error, size_t error_size)
{
	CLEANUP_BUFFER struct buffer out = { 0 };
	unsigned line_number = 0;

	while (*text) {
		const char *end = strchrnul(text, '\n');
		size_t before = out.length;
		const char *why;
		bool empty;

		line_number++;
		if (!text_after(text, "##")) {
			why = render_line(&out, text, end, variables, &empty);
			if (why) {
				snprintf(error, error_size, "%s:%u: %s: \"%.*s\"", file, line_number, why,
					 (int)(end - text > 80 ? 80 : end - text), text);
				return -EINVAL;
			}
			if (empty)
				out.length = before;
			else if (*end)
				buffer_add_text(&out, "\n");
		}
		text = *end ? end + 1 : end;
	}
	*ret_text = buffer_finish(&out);
	if (*ret_text)
		return 0;
	snprintf(error, error_size, "%s: out of memory", file);
	return -ENOMEM;
}
