/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relation.h"

#include "deb-version.h"

/* Cuts `OPERATOR VERSION` into its two; false where it is not that. */
static bool read_version(struct slice text, struct relation *relation)
{
	static const struct {
		const char *sign;
		enum relation_comparison comparison;
	} signs[] = {
		{ "<<", RELATION_EARLIER }, { "<=", RELATION_UP_TO }, { ">=", RELATION_FROM }, { ">>", RELATION_LATER },
		{ "=", RELATION_EQUAL },    { "<", RELATION_UP_TO },  { ">", RELATION_FROM },
	};

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		size_t length = strlen(signs[i].sign);

		if (text.length <= length || !slice_is(slice_head(text, length), signs[i].sign))
			continue;
		relation->comparison = signs[i].comparison;
		relation->version = slice_trim(slice_tail(text, length));
		return relation->version.length > 0 && relation->version.length < 500;
	}
	return false;
}

/* How far a name goes: until a colon, a blank or a bracket. */
static size_t word_length(struct slice text)
{
	size_t length = 0;

	while (length < text.length && !slice_is_space(text.data[length]) && !strchr(":([<", text.data[length]))
		length++;
	return length;
}

bool relation_read(struct slice text, struct relation *ret_relation)
{
	struct relation relation = { .name = slice_head(text, word_length(text)) };
	size_t end;

	text = slice_tail(text, relation.name.length);
	if (relation.name.length == 0)
		return false;
	if (text.length && text.data[0] == ':') {
		text = slice_tail(text, 1);
		relation.architecture = slice_head(text, word_length(text));
		text = slice_tail(text, relation.architecture.length);
	}
	text = slice_trim(text);
	if (text.length) {
		end = slice_until(text, ')');
		if (text.data[0] != '(' || end + 1 != text.length ||
		    !read_version(slice_trim(slice_head(slice_tail(text, 1), end - 1)), &relation))
			return false;
	}
	*ret_relation = relation;
	return true;
}

bool relation_has_version(const struct relation *relation, struct slice version)
{
	int order;

	if (relation->comparison == RELATION_ANY_VERSION)
		return true;
	if (version.length == 0)
		return false;
	order = deb_version_compare_slices(version, relation->version);
	switch (relation->comparison) {
	case RELATION_EARLIER:
		return order < 0;
	case RELATION_UP_TO:
		return order <= 0;
	case RELATION_EQUAL:
		return order == 0;
	case RELATION_FROM:
		return order >= 0;
	case RELATION_LATER:
		return order > 0;
	case RELATION_ANY_VERSION:
		break;
	}
	return true;
}
