/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader.h"

#include <poll.h>
#include <time.h>

#include "../util/utf8.h"

static void give(struct reader *reader, const char *line)
{
	pthread_mutex_lock(reader->mutex);
	reader->fn(reader->name, line, reader->userdata);
	pthread_mutex_unlock(reader->mutex);
}

void reader_line(struct reader *reader, const char *line)
{
	char *clean = strdup(line);

	if (!clean)
		return;
	utf8_clean(clean);
	if (reader->kept) {
		char **place = &reader->kept[reader->next++ % reader->lines];
		char *before = *place;

		*place = clean;
		clean = before;
	} else {
		give(reader, clean);
	}
	free(clean);
}

int reader_keep_last(struct reader *reader)
{
	if (!reader->lines)
		return 0;
	reader->next = 0;
	reader->kept = calloc(reader->lines, sizeof *reader->kept);
	return reader->kept ? 0 : -ENOMEM;
}

void reader_give_last(struct reader *reader)
{
	for (size_t i = 0; reader->kept && i < reader->lines; i++) {
		char *line = reader->kept[(reader->next + i) % reader->lines];

		if (line)
			give(reader, line);
		free(line);
	}
	free(reader->kept);
	reader->kept = NULL;
}

int64_t reader_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

void reader_heard(struct reader *reader)
{
	reader->heard = true;
	reader->told = false;
}

void reader_heard_at(struct reader *reader, const char *line, int64_t time)
{
	const int64_t latest = reader_now(); /* the clock may have been set back since it was logged */

	reader_heard(reader);
	reader->from = time < latest ? time : latest;
	reader->last = text_hash(line);
}

bool reader_is_to_stop(const struct reader *reader)
{
	struct pollfd fd = { .fd = reader->options->stop_fd, .events = POLLIN };

	return fd.fd && poll(&fd, 1, 0) > 0;
}
