/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "header.h"

#include "../util/keyfile.h"

#define FORMAT "1"

/* Each key comes once; what says how layers come is kept until all layers are known. */
struct reading {
	struct stream_header header;
	unsigned seen;                /* a bit for each of the keys */
	struct chain whole, have, differing;
	char from[CHAIN_MAX][LAYER_ID_SIZE]; /* for differing */
};

bool digest_text_is_valid(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIGEST_TEXT_LENGTH && text[DIGEST_TEXT_LENGTH] == '\0';
}

/* ---- keys ---- */

static const char *read_format(struct reading *reading, const char *value)
{
	(void)reading;
	return text_equal(value, FORMAT) ? NULL : "is not one that this version of layerbox knows, which is " FORMAT;
}

static const char *read_container(struct reading *reading, const char *value)
{
	return name_is_valid(value) && text_copy(reading->header.container, sizeof reading->header.container, value)
		       ? NULL
		       : "must be the name of a container";
}

static const char *read_snapshot(struct reading *reading, const char *value)
{
	return label_is_valid(value) && text_copy(reading->header.snapshot, sizeof reading->header.snapshot, value)
		       ? NULL
		       : "must be the label of a snapshot";
}

static const char *read_files_name(struct reading *reading, const char *value)
{
	return name_is_valid(value) && text_copy(reading->header.files_name, sizeof reading->header.files_name, value)
		       ? NULL
		       : "must be the name of a container";
}

static const char *read_address(char *member, const char *value)
{
	return address_is_ipv4(value) && text_copy(member, IPV4_TEXT_SIZE, value) ? NULL : "must be an IPv4 address";
}

static const char *read_files_ipv4(struct reading *reading, const char *value)
{
	return read_address(reading->header.files_ipv4, value);
}

static const char *read_files_gateway(struct reading *reading, const char *value)
{
	return read_address(reading->header.files_gateway, value);
}

static const char *read_base(struct reading *reading, const char *value)
{
	return name_parse_base(value, reading->header.base, &reading->header.generation) ? NULL
											 : "must be NAME@GENERATION";
}

static const char *read_base_manifest(struct reading *reading, const char *value)
{
	return digest_text_is_valid(value) && text_copy(reading->header.base_manifest, DIGEST_TEXT_SIZE, value)
		       ? NULL
		       : "must be a SHA-256";
}

static const char *read_base_included(struct reading *reading, const char *value)
{
	return text_to_bool(value, &reading->header.base_included) ? NULL : "must be yes or no";
}

static const char *read_layers(struct reading *reading, const char *value)
{
	return chain_parse(value, &reading->header.layers) ? NULL : "must be identifiers of layers";
}

static const char *read_whole(struct reading *reading, const char *value)
{
	return chain_parse(value, &reading->whole) ? NULL : "must be identifiers of layers";
}

static const char *read_have(struct reading *reading, const char *value)
{
	return chain_parse(value, &reading->have) ? NULL : "must be identifiers of layers";
}

/* ID:FROM ID:FROM ... */
static const char *read_differs(struct reading *reading, const char *value)
{
	static const char rule[] = "must be pairs of layers, ID:FROM";
	const size_t pair = 2 * LAYER_ID_LENGTH + 1;

	while (*value) {
		struct chain *chain = &reading->differing;
		char *id = chain->ids[chain->count], *from = reading->from[chain->count];

		if (chain->count == CHAIN_MAX || strnlen(value, pair) < pair || value[LAYER_ID_LENGTH] != ':')
			return rule;
		memcpy(id, value, LAYER_ID_LENGTH);
		memcpy(from, value + LAYER_ID_LENGTH + 1, LAYER_ID_LENGTH);
		id[LAYER_ID_LENGTH] = from[LAYER_ID_LENGTH] = '\0';
		if (!layer_id_is_valid(id) || !layer_id_is_valid(from) || chain_has(chain, id))
			return rule;
		chain->count++;
		value += pair;
		if (*value && (*value++ != ' ' || !*value))
			return rule;
	}
	return NULL;
}

static const struct {
	const char *key;
	const char *(*read)(struct reading *reading, const char *value);
	bool optional;
} keys[] = {
	{ "format", read_format, false },
	{ "container", read_container, false },
	{ "snapshot", read_snapshot, true },
	{ "files_name", read_files_name, false },
	{ "files_ipv4", read_files_ipv4, false },
	{ "files_gateway", read_files_gateway, true },
	{ "base", read_base, false },
	{ "base_manifest", read_base_manifest, false },
	{ "base_included", read_base_included, false },
	{ "layers", read_layers, false },
	{ "whole", read_whole, true },
	{ "have", read_have, true },
	{ "differs", read_differs, true },
};

enum { KEYS = sizeof keys / sizeof *keys };

static const char *on_key(const char *key, const char *value, void *userdata)
{
	struct reading *reading = userdata;

	for (unsigned i = 0; i < KEYS; i++) {
		if (!text_equal(key, keys[i].key))
			continue;
		if (reading->seen & 1U << i)
			return "comes twice";
		reading->seen |= 1U << i;
		return keys[i].read(reading, value);
	}
	return "is not a key of a stream";
}

/* ---- the whole ---- */

static const char *what_is_missing(const struct reading *reading)
{
	for (unsigned i = 0; i < KEYS; i++)
		if (!keys[i].optional && !(reading->seen & 1U << i))
			return keys[i].key;
	return NULL;
}

/* Every layer comes in one way, and nothing else comes. What another one is a difference to does not come itself. */
static bool give_ways(struct reading *reading)
{
	struct stream_header *header = &reading->header;

	if (reading->whole.count + reading->have.count + reading->differing.count != header->layers.count)
		return false;
	for (size_t i = 0; i < header->layers.count; i++) {
		const char *id = header->layers.ids[i];

		header->ways[i] = chain_has(&reading->whole, id)  ? LAYER_WHOLE
				  : chain_has(&reading->have, id) ? LAYER_HAVE
								  : 0;
		for (size_t k = 0; !header->ways[i] && k < reading->differing.count; k++) {
			if (!text_equal(reading->differing.ids[k], id))
				continue;
			header->ways[i] = LAYER_DIFFERS;
			memcpy(header->from[i], reading->from[k], LAYER_ID_SIZE);
		}
		if (!header->ways[i])
			return false;
	}
	for (size_t k = 0; k < reading->differing.count; k++)
		if (chain_has(&reading->whole, reading->from[k]) || chain_has(&reading->differing, reading->from[k]))
			return false;
	return true;
}

int header_parse(char *text, struct stream_header *ret_header, char *error, size_t error_size)
{
	struct reading reading = { 0 };
	int r = keyfile_parse(text, HEADER_MEMBER, on_key, &reading, error, error_size);

	if (r < 0)
		return r;
	if (what_is_missing(&reading)) {
		snprintf(error, error_size, HEADER_MEMBER ":1: the key `%s` is missing", what_is_missing(&reading));
		return -EINVAL;
	}
	if (!give_ways(&reading)) {
		snprintf(error, error_size, HEADER_MEMBER ":1: what it says of how its layers come contradicts itself");
		return -EINVAL;
	}
	*ret_header = reading.header;
	return 0;
}

/* A line of those that come in one way, where there are any. */
static void add_ways(struct buffer *text, const struct stream_header *header, enum layer_way way, const char *key)
{
	const char *before = key, *between = " =";

	for (size_t i = 0; i < header->layers.count; i++) {
		if (header->ways[i] != way)
			continue;
		buffer_format(text, "%s%s %s", before, between, header->layers.ids[i]);
		if (way == LAYER_DIFFERS)
			buffer_format(text, ":%s", header->from[i]);
		before = between = "";
	}
	if (before != key)
		buffer_add_text(text, "\n");
}

char *header_to_text(const struct stream_header *header)
{
	CLEANUP_FREE char *layers = chain_format(&header->layers);
	CLEANUP_BUFFER struct buffer text = { 0 };

	if (!layers)
		return NULL;
	buffer_format(&text, "format = " FORMAT "\ncontainer = %s\n", header->container);
	if (*header->snapshot)
		buffer_format(&text, "snapshot = %s\n", header->snapshot);
	buffer_format(&text, "files_name = %s\nfiles_ipv4 = %s\n", header->files_name, header->files_ipv4);
	if (*header->files_gateway)
		buffer_format(&text, "files_gateway = %s\n", header->files_gateway);
	buffer_format(&text, "base = %s@%u\nbase_manifest = %s\nbase_included = %s\n", header->base, header->generation,
		      header->base_manifest, header->base_included ? "yes" : "no");
	buffer_format(&text, "layers = %s\n", layers);
	add_ways(&text, header, LAYER_WHOLE, "whole");
	add_ways(&text, header, LAYER_HAVE, "have");
	add_ways(&text, header, LAYER_DIFFERS, "differs");
	return buffer_finish(&text);
}

void header_choose_ways(struct stream_header *header, const struct chain *since, size_t count)
{
	const struct chain *newest = count ? &since[count - 1] : NULL;

	for (size_t i = 0; i < header->layers.count; i++) {
		header->ways[i] = LAYER_WHOLE;
		for (size_t k = 0; k < count; k++)
			if (chain_has(&since[k], header->layers.ids[i]))
				header->ways[i] = LAYER_HAVE;
	}
	if (!newest || !newest->count || chain_has(&header->layers, newest->ids[0]))
		return;
	for (size_t i = header->layers.count; i-- > 0;) {
		if (header->ways[i] != LAYER_WHOLE)
			continue;
		header->ways[i] = LAYER_DIFFERS;
		memcpy(header->from[i], newest->ids[0], LAYER_ID_SIZE);
		return;
	}
}
