/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chain.h"

#include <string.h>
#include <sys/random.h>

#include "../util/text.h"

bool layer_id_is_valid(const char *text)
{
	return strspn(text, "0123456789abcdef") == LAYER_ID_LENGTH && text[LAYER_ID_LENGTH] == '\0';
}

void layer_id_make(char ret_id[LAYER_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[LAYER_ID_LENGTH / 2];

	getentropy(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) {
		ret_id[2 * i] = digits[random[i] >> 4];
		ret_id[2 * i + 1] = digits[random[i] & 15];
	}
	ret_id[LAYER_ID_LENGTH] = '\0';
}

bool chain_has(const struct chain *chain, const char *id)
{
	for (size_t i = 0; i < chain->count; i++)
		if (text_equal(chain->ids[i], id))
			return true;
	return false;
}

bool chain_parse(const char *text, struct chain *ret_chain)
{
	struct chain chain = { 0 };

	while (*text) {
		char id[LAYER_ID_SIZE];

		if (strnlen(text, LAYER_ID_LENGTH) < LAYER_ID_LENGTH || chain.count == CHAIN_MAX)
			return false;
		memcpy(id, text, LAYER_ID_LENGTH);
		id[LAYER_ID_LENGTH] = '\0';
		if (!layer_id_is_valid(id) || chain_has(&chain, id))
			return false;
		memcpy(chain.ids[chain.count++], id, sizeof id);
		text += LAYER_ID_LENGTH;
		if (*text && (*text++ != ' ' || !*text))
			return false;
	}
	*ret_chain = chain;
	return true;
}

char *chain_format(const struct chain *chain)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, "");
	for (size_t i = 0; i < chain->count; i++)
		buffer_format(&text, "%s%s", i ? " " : "", chain->ids[i]);
	return buffer_finish(&text);
}

bool chain_push(struct chain *chain, const char *id)
{
	if (chain->count == CHAIN_MAX)
		return false;
	memmove(chain->ids[1], chain->ids[0], chain->count * sizeof chain->ids[0]);
	text_copy(chain->ids[0], LAYER_ID_SIZE, id);
	chain->count++;
	return true;
}

bool chain_replace_pair(struct chain *chain, const char *upper, const char *lower, const char *merged)
{
	for (size_t i = 0; i + 1 < chain->count; i++) {
		if (!text_equal(chain->ids[i], upper) || !text_equal(chain->ids[i + 1], lower))
			continue;
		text_copy(chain->ids[i], LAYER_ID_SIZE, merged);
		memmove(chain->ids[i + 1], chain->ids[i + 2], (chain->count - i - 2) * sizeof chain->ids[0]);
		chain->count--;
		return true;
	}
	return false;
}
