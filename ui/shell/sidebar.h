// SPDX-License-Identifier: GPL-3.0-or-later
// Sidebar: the workspace's name and the pages in groups; names at 184 px, icons at 48 px. A page is added with its
// action, so its shortcut and its place in the palette come with it.
#pragma once

#include <QAbstractButton>
#include <QWidget>

class QAction;
class QButtonGroup;
class QVBoxLayout;

namespace espalier::ui {

class SidebarItem;

class Sidebar : public QWidget {
    Q_OBJECT
public:
    explicit Sidebar(QWidget* parent = nullptr);

    void setWorkspace(const QString& name, const QString& where);
    void addGroup(const QString& name);
    int addPage(QAction* action, const QString& name, const QString& iconName);      // its index
    int addFootPage(QAction* action, const QString& name, const QString& iconName);  // at the lower end
    void setCurrent(int page);                                                       // -1: none of them
    void setCount(int page, const QString& count);
    void setMark(int page, const QString& iconName, const QString& description);  // empty: none
    void setFolded(bool folded);
    bool isFolded() const { return m_folded; }

signals:
    void workspaceClicked();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int add(QVBoxLayout* list, QAction* action, const QString& name, const QString& iconName);

    QVBoxLayout *m_list, *m_foot;
    SidebarItem* m_workspace;
    std::vector<SidebarItem*> m_pages;
    struct Group {
        QWidget* title;
        std::vector<QAction*> actions;
    };
    void showGroups();
    std::vector<Group> m_groups;  // a group whose pages are all absent is absent too
    bool m_folded = false;
};

}  // namespace espalier::ui
