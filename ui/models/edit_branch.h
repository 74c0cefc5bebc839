// SPDX-License-Identifier: GPL-3.0-or-later
// EditBranch: what the Playground can take back, as plain values: the message that is being edited and what was typed
// before, the conversations as they were before an edit, a new chat or a run of cases, and the question under way.
#pragma once

#include <optional>
#include <vector>

#include "ui/models/conversation.h"

namespace espalier::ui {

struct EditBranch {
    int editing = 0;                               // the turn that Send replaces; 0: none
    QString draft;                                 // what was typed before the edit began
    QString asked;                                 // the question under way, until one lane has answered it
    std::optional<std::vector<Conversation>> cut;  // lane by lane

    bool isEditing() const { return editing > 0; }
    // A lane was closed.
    void forget(int place) {
        if (cut && place < int(cut->size())) cut->erase(cut->begin() + place);
    }
};

}  // namespace espalier::ui
