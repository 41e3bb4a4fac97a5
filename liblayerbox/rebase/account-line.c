/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "account-line.h"

static const struct account_form forms[ACCOUNT_FILES] = {
	[ACCOUNT_PASSWD] = {
		.path = "etc/passwd",
		.what = "user",
		.fields = 7,
		.number = 2,
		.names = { "name", "password", "number", "group", "description", "home directory", "shell" },
		.change_number = "usermod --uid",
	},
	[ACCOUNT_SHADOW] = {
		.path = "etc/shadow",
		.what = "user",
		.fields = 9,
		.quiet = 1U << 2,
		.names = { "name", "password", "time of the last password", "minimum age of passwords",
			   "maximum age of passwords", "warning time", "inactivity time", "expiry", "reserved field" },
	},
	[ACCOUNT_GROUP] = {
		.path = "etc/group",
		.what = "group",
		.fields = 4,
		.number = 2,
		.sets = 1U << 3,
		.names = { "name", "password", "number", "members" },
		.change_number = "groupmod --gid",
	},
	[ACCOUNT_GSHADOW] = {
		.path = "etc/gshadow",
		.what = "group",
		.fields = 4,
		.sets = 1U << 2 | 1U << 3,
		.names = { "name", "password", "administrators", "members" },
	},
	[ACCOUNT_SUBUID] = {
		.path = "etc/subuid",
		.what = "user",
		.fields = 3,
		.ranges = true,
		.names = { "name", "first subordinate uid", "number of subordinate uids" },
		.change_number = "usermod --del-subuids and --add-subuids",
	},
	[ACCOUNT_SUBGID] = {
		.path = "etc/subgid",
		.what = "user",
		.fields = 3,
		.ranges = true,
		.names = { "name", "first subordinate gid", "number of subordinate gids" },
		.change_number = "usermod --del-subgids and --add-subgids",
	},
	[ACCOUNT_SHELLS] = {
		.path = "etc/shells",
	},
};

const struct account_form *account_form(enum account_file file)
{
	return &forms[file];
}

const char *account_file_path(enum account_file file)
{
	return forms[file].path;
}

static bool read_numbers(const struct account_form *form, struct account_line *line)
{
	uint64_t count;

	if (form->number)
		return slice_to_number(line->fields[form->number], 0, UINT32_MAX, &line->number);
	if (!form->ranges)
		return true;
	if (!slice_to_number(line->fields[1], 0, UINT32_MAX, &line->number) ||
	    !slice_to_number(line->fields[2], 0, UINT32_MAX, &count))
		return false;
	line->end = line->number + count;
	return true;
}

bool account_line_read(const struct account_form *form, struct slice line, struct account_line *ret_line)
{
	size_t count = 0;

	if (form->fields == 0 || line.length == 0 || memchr("+-#:", line.data[0], 4))
		return false;
	*ret_line = (struct account_line){ 0 };
	for (struct slice rest = line; count < form->fields; count++) {
		bool last = count + 1 == form->fields;
		struct slice *field = &ret_line->fields[count];

		*field = (struct slice){ rest.data, 0 };
		(void)slice_cut(&rest, ':', field);
		/* Each but the last ends with a colon, the last at the end of the line. */
		if (last != (field->data + field->length == line.data + line.length))
			return false;
	}
	return read_numbers(form, ret_line);
}

struct account_name account_name(struct slice name)
{
	struct account_name shown = { { 0 } };
	size_t most = sizeof shown.text - 1;

	if (name.length)
		memcpy(shown.text, name.data, name.length < most ? name.length : most);
	text_printable(shown.text);
	return shown;
}
