/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A terminal's whole screen, for a command that paints it again and again; what was on it before comes back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct screen {
	size_t width, height;
};

/* Takes the screen, and keys without waiting for Enter. False where standard input or output is no terminal. */
bool screen_open(void);

/* Gives all back, whatever has happened; may be called twice. */
void screen_close(void);

/* How big it is now. */
struct screen screen_size(void);

/* Paints @text, without flicker: what does not fit is cut off. */
void screen_paint(const char *text);

enum { SCREEN_TIMEOUT = 0, SCREEN_RESIZED = -1, SCREEN_END = -2 };

/* Waits for a key, which it returns, or one of the above: the end is a signal that asks for it, or no terminal. */
int screen_wait(unsigned milliseconds);
