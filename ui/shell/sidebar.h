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
    int addPage(QAction* action, const QString& name, const QString& iconName);  // its index
    void setCurrent(int page);
    void setCount(int page, const QString& count);
    void setMark(int page, const QString& iconName, const QString& description);  // empty: none
    void setFolded(bool folded);
    bool isFolded() const { return m_folded; }

signals:
    void workspaceClicked();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QVBoxLayout* m_list;
    SidebarItem* m_workspace;
    std::vector<SidebarItem*> m_pages;
    std::vector<QWidget*> m_groups;
    bool m_folded = false;
};

}  // namespace espalier::ui
